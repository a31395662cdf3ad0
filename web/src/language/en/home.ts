/** Texts of the first page. */
export const home = {
  "home.title": "Home",
  "home.hello": "Welcome, {name}",
  "home.needs": "What needs you",
  "home.nothing_needed": "Nothing needs you.",
  "home.no_key":
    "Your organization has no public key, but takes part in an encrypted collaboration. Its station makes one when it starts.",
  "home.station_offline":
    "The station {name} of your organization is offline. It was last seen {ago}.",
  "home.invited": "Your organization is invited to {name} ({encryption}) with {members}.",
  "home.invited_alone":
    "Your organization is invited to {name} ({encryption}), which has no members yet.",
  "home.accept": "Accept",
  "home.accept_named": "Accept the invitation to {name}",
  "home.decline": "Decline",
  "home.decline_named": "Decline the invitation to {name}",
  "home.decline_title": "Decline this invitation?",
  "home.decline_text": "Those who asked have to ask again if you change your mind.",
  "home.running": "My running tasks",
  "home.last": "My last tasks",
  "home.none_running": "None of your tasks runs.",
  "home.none_ended": "None of your tasks has ended yet.",
  "home.none_sent": "You have sent no task yet.",
  "home.all": "All my tasks",
  "home.collaborations": "My collaborations",
  "home.no_collaborations":
    "Your organization takes part in no collaboration yet. Ask an administrator of the server.",
  "home.collaboration": "Collaboration",
  "home.encryption": "Encryption",
  "home.members": "Members",
  "home.open": "Open",
  "home.tasks_of": "Tasks",
  "home.stations_of": "Stations",
  "home.tasks_named": "Tasks of {name}",
  "home.stations_named": "Stations of {name}",
} as const;
