// Knows who and what exists in the workspace (people, channels, commands); knows nothing of messages.

/** Filled from /_local/boot; everything that draws names reads it. */
export const directory = {
  me: "",
  team: {},
  teams: [],
  app: {},
  users: [],
  channels: [],
  commands: [],
  shortcuts: [],
  prompts: [],
  byUser: new Map(),
  byChannel: new Map(),

  /** Take over the answer of /_local/boot. */
  load(boot) {
    const { team = {}, teams = [], app = {}, users = [], channels = [], commands = [], shortcuts = [] } = boot;
    Object.assign(this, { team, teams, app, users, channels, commands, shortcuts, prompts: boot.suggested_prompts || [] });
    this.me = typeof boot.me === "string" ? boot.me : boot.me?.id || "";
    this.byUser = new Map(users.flatMap((user) => [[user.id, user], ...(user.bot_id ? [[user.bot_id, user]] : [])]));
    this.byChannel = new Map(channels.map((channel) => [channel.id, channel]));
  },

  user(id) {
    return this.byUser.get(id) || null;
  },

  channel(id) {
    return this.byChannel.get(id) || null;
  },

  /** People, as opposed to bots. */
  people() {
    return this.users.filter((user) => !user.is_bot && user.id !== "USLACKBOT" && !user.deleted);
  },

  /** The name people read for a person. */
  userName(id) {
    const user = this.user(id);
    return user ? user.real_name || user.name : id || "Unknown";
  },

  /** The name people read for a channel; a DM has the other person's name, a group DM everyone's. */
  channelName(channel) {
    if (!channel) return "";
    if (channel.is_im) return channel.im_user === this.me ? `${this.userName(this.me)} (you)` : this.userName(channel.im_user);
    if (channel.is_mpim && channel.users?.length) return channel.users.filter((id) => id !== this.me).map((id) => this.userName(id)).join(", ");
    return channel.name;
  },

  /** A channel's name with the sign that Slack puts before it. */
  channelLabel(id) {
    const channel = this.channel(id);
    return this.isDirect(channel) ? this.channelName(channel) : `#${channel?.name || id}`;
  },

  isDirect(channel) {
    return Boolean(channel?.is_im || channel?.is_mpim);
  },

  /** Whether a DM is with the app itself. */
  isAgent(channel) {
    return Boolean(channel?.is_im && channel.im_user === this.app.bot_user_id);
  },

  /** The acting person's DM with the app. */
  agentDm() {
    return this.channels.find((channel) => this.isAgent(channel));
  },

  /** A person's place in the team, where it is not the ordinary one: "Owner", "Guest" and so on. */
  role(user) {
    const role = user?.role || "";
    return role.charAt(0).toUpperCase() + role.slice(1);
  },

  isGuest() {
    return /guest/i.test(this.role(this.user(this.me)));
  },
};
