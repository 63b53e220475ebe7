// Knows the common emoji shortcodes; knows nothing of messages. A name that is not here stays as text.

export const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️",
  x: "❌", warning: "⚠️", no_entry: "⛔", octagonal_sign: "🛑", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", clock1: "🕐", clock3: "🕒",
  rocket: "🚀", tada: "🎉", sparkles: "✨", star: "⭐", fire: "🔥", bulb: "💡", memo: "📝", pencil2: "✏️", bar_chart: "📊", chart_with_upwards_trend: "📈",
  chart_with_downwards_trend: "📉", mag: "🔍", link: "🔗", paperclip: "📎", page_facing_up: "📄", books: "📚", book: "📖", file_folder: "📁", package: "📦",
  wave: "👋", raised_hands: "🙌", pray: "🙏", clap: "👏", muscle: "💪", ok_hand: "👌", point_right: "👉", point_up: "☝️", thinking_face: "🤔", smile: "😄",
  slightly_smiling_face: "🙂", grinning: "😀", joy: "😂", sob: "😭", heart: "❤️", blue_heart: "💙", heart_eyes: "😍", sunglasses: "😎", "100": "💯",
  robot_face: "🤖", violin: "🎻", wrench: "🔧", hammer_and_wrench: "🛠️", gear: "⚙️", lock: "🔒", key: "🔑", bell: "🔔", no_bell: "🔕", mega: "📣",
  loudspeaker: "📢", moneybag: "💰", dollar: "💵", information_source: "ℹ️", question: "❓", exclamation: "❗", heavy_plus_sign: "➕", heavy_minus_sign: "➖",
  arrow_up: "⬆️", arrow_down: "⬇️", arrow_left: "⬅️", arrow_right: "➡️", arrows_counterclockwise: "🔄", large_green_circle: "🟢", large_yellow_circle: "🟡",
  red_circle: "🔴", white_circle: "⚪", large_blue_circle: "🔵", black_circle: "⚫", trophy: "🏆", test_tube: "🧪", scales: "⚖️", balance_scale: "⚖️",
  calendar: "📅", inbox_tray: "📥", outbox_tray: "📤", floppy_disk: "💾", computer: "💻", recycle: "♻️", speech_balloon: "💬", coffee: "☕", shushing_face: "🤫",
};

/** The reactions that the picker offers first. */
export const QUICK = ["+1", "-1", "eyes", "white_check_mark", "tada", "heart", "pray", "raised_hands", "thinking_face", "smile", "100", "rocket"];

/** The character for a shortcode, or `:name:` where it is not known. */
export function emoji(name) {
  const bare = String(name).replace(/::skin-tone-\d$/, "");
  return Object.hasOwn(EMOJI, bare) ? EMOJI[bare] : `:${bare}:`;
}
