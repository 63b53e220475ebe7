// Knows who and what exists in the workspace (people, channels, commands); knows nothing of messages.

/** Filled once from /_local/boot; everything that draws names reads it. */
export const directory = {
  me: "",
  team: {},
  app: {},
  users: [],
  channels: [],
  commands: [],
  prompts: [],

  /** Take over the answer of /_local/boot. */
  load(boot) {
    Object.assign(this, { team: boot.team || {}, app: boot.app || {}, users: boot.users || [], channels: boot.channels || [], commands: boot.commands || [], prompts: boot.suggested_prompts || [] });
    this.me = typeof boot.me === "string" ? boot.me : boot.me?.id || "";
  },

  user(id) {
    return this.users.find((user) => user.id === id || user.bot_id === id) || null;
  },

  channel(id) {
    return this.channels.find((channel) => channel.id === id) || null;
  },

  /** The name people read for a person. */
  userName(id) {
    const user = this.user(id);
    return user ? user.real_name || user.name : id || "Unknown";
  },

  /** The name people read for a channel; a DM has the other person's name. */
  channelName(channel) {
    if (!channel) return "";
    return channel.is_im ? this.userName(channel.im_user) : channel.name;
  },

  /** Whether a DM is with the app itself. */
  isAgent(channel) {
    return Boolean(channel?.is_im && channel.im_user === this.app.bot_user_id);
  },
};
