// Knows how to show a box under (or over) its anchor in the browser's top layer; knows nothing of what stands in it.

const GAP = 4;
const EDGE = 8;

/**
 * Make `box` a pop-up of `anchor`: it is drawn above every dialog and is cut off by nothing.
 * Gives {show, hide, place, shown}; `hidden()` hears a click elsewhere.
 */
export function popup(anchor, box, { wide = false, hidden = () => {} } = {}) {
  box.setAttribute("popover", "manual");
  const outside = (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) hidden();
  };
  const follow = (event) => {
    if (!anchor.isConnected) hidden();
    else if (!box.contains(event.target)) place(anchor, box, wide);
  };
  const listen = (act) => {
    document[act]("pointerdown", outside, true);
    document[act]("scroll", follow, true);
    window[act]("resize", follow);
  };
  return {
    get shown() {
      return box.isConnected && box.matches(":popover-open");
    },
    place: () => place(anchor, box, wide),
    show() {
      if (this.shown) return place(anchor, box, wide);
      box.showPopover();
      listen("addEventListener");
      return place(anchor, box, wide);
    },
    hide() {
      listen("removeEventListener");
      if (this.shown) box.hidePopover();
    },
  };
}

function place(anchor, box, wide) {
  const spot = anchor.getBoundingClientRect();
  if (wide) box.style.setProperty("width", `${Math.min(Math.max(spot.width, 220), innerWidth - 2 * EDGE)}px`);
  box.style.setProperty("max-height", "none");
  const size = box.getBoundingClientRect();
  const [below, above] = [innerHeight - spot.bottom - GAP - EDGE, spot.top - GAP - EDGE];
  const under = size.height <= below || below >= above;
  const high = Math.min(size.height, under ? below : above);
  box.style.setProperty("max-height", `${Math.max(high, 80)}px`);
  box.style.setProperty("top", `${under ? spot.bottom + GAP : spot.top - GAP - high}px`);
  box.style.setProperty("left", `${Math.max(EDGE, Math.min(spot.left, innerWidth - size.width - EDGE))}px`);
}
