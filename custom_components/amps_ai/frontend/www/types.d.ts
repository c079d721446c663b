// What the strategy uses of Home Assistant's front end. Not served to be run: it
// is for `tsc --noEmit --checkJs --strict` and for those who read.

export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, any>;
}

export interface EntityEntry {
  entity_id: string;
  name?: string | null;
  platform?: string;
  translation_key?: string;
  device_id?: string;
  entity_category?: "config" | "diagnostic";
  hidden?: boolean;
}

export interface DeviceEntry {
  id: string;
  name: string | null;
  name_by_user?: string | null;
  area_id?: string | null;
  entry_type?: "service" | null;
  primary_config_entry?: string | null;
  identifiers: [string, string][];
}

export interface Hass {
  states: Record<string, EntityState>;
  entities: Record<string, EntityEntry>;
  devices: Record<string, DeviceEntry>;
  areas: Record<string, { area_id: string; name: string; icon?: string | null }>;
  language: string;
  user?: { is_admin: boolean };
  config: { components: string[]; unit_system: { temperature: string } };
  localize(key: string): string;
  callWS<T>(message: { type: string }): Promise<T>;
  formatEntityName(state: EntityState, type: { type: "entity" }): string;
}

export interface StrategyConfig {
  type: string;
  account?: string;
  device?: string;
}

export interface Card {
  type: string;
  [option: string]: any;
}

export interface Section {
  type: "grid";
  cards: Card[];
  [option: string]: any;
}

export interface View {
  title?: string;
  [option: string]: any;
}

export type Kind = "battery" | "solar" | "ev_charger" | "vehicle" | "hvac" | "other";

export interface Device {
  id: string;
  name: string;
  account: string;
  area: string | null;
  kind: Kind;
  // Entity ids, by domain and key: `sensor.power`.
  entities: Map<string, string>;
  // All of its entities.
  entries: EntityEntry[];
}

export interface Account {
  id: string;
  name: string;
  calendars: string[];
  devices: Device[];
}

// Commands that a device takes from a time to a time, by the device's id.
export type TimedCommands = Record<string, string[]>;

// Words by their key, with what stands in braces filled in.
export type Say = (key: string, values?: Record<string, string | number>) => string;
