/** Texts of the stations. */
export const stations = {
  "nav.stations": "Stations",
  "stations.title": "Stations",
  "stations.text":
    "A station computes at an organization's own data. It decides by its own configuration; what it tells here is no promise. It tells neither its databases nor their columns: ask the people there.",
  "stations.none": "You see no collaboration. Ask an administrator of your organization.",
  "stations.encrypted": "encrypted",
  "stations.open": "not encrypted",
  "stations.count": "{online} of {total} online",
  "stations.organization": "Organization",
  "stations.station": "Station",
  "stations.state": "State",
  "stations.seen": "Last seen",
  "stations.allows": "What it tells of its rules",
  "stations.no_station": "no station",
  "stations.no_members": "This collaboration has no members.",
  "stations.hidden": "not shown to your role",
  "stations.silent": "nothing",
  "stations.images": "Images",
  "stations.users": "Only users",
  "stations.organizations": "Only organizations",
} as const;
