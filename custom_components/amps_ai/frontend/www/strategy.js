// @ts-check
// The dashboard: it finds the devices of Amps AI in Home Assistant's registries
// and shows them on Home Assistant's own cards.

/**
 * @import { Account, Card, Device, EntityEntry, Hass, Kind, Say, Section,
 *   StrategyConfig, TimedCommands, View } from "./types.js"
 */

const PLATFORM = "amps_ai";
const STRATEGY = "custom:amps-ai";
const LANGUAGES = ["de", "en", "es", "fr", "it", "nl"];
// With more devices than these, the first view shows a tile for each only.
const FEW = 6;
// With more than these, graphs and figures of all of them say nothing any more.
const SOME = 12;
const HOURS = 2;

// Those with controls come first: sections of one row are then about as tall.
/** @type {Record<Kind, string>} */
const ICONS = {
  battery: "mdi:home-battery",
  ev_charger: "mdi:ev-station",
  hvac: "mdi:thermostat",
  solar: "mdi:solar-power-variant",
  vehicle: "mdi:car-electric",
  other: "mdi:flash",
};
const KINDS = /** @type {Kind[]} */ (Object.keys(ICONS));

// A device is what it has the entities of; the first that fits counts.
/** @type {[Kind, string[]][]} */
const MARKS = [
  ["hvac", ["climate.climate"]],
  [
    "ev_charger",
    [
      "switch.charge",
      "number.max_power",
      "sensor.energy_delivered",
      "sensor.power_limit",
    ],
  ],
  [
    "vehicle",
    [
      "sensor.range",
      "sensor.charge_limit",
      "sensor.battery_capacity",
      "binary_sensor.fully_charged",
    ],
  ],
  ["solar", ["sensor.energy_total", "binary_sensor.producing"]],
  [
    "battery",
    [
      "select.mode",
      "sensor.energy_charged",
      "sensor.capacity",
      "sensor.discharge_limit",
      "sensor.battery",
    ],
  ],
];

// What one tile tells of a device; the first that it has.
const MAIN = [
  "climate.climate",
  "sensor.status",
  "sensor.battery",
  "sensor.power",
  "binary_sensor.plug",
  "binary_sensor.connectivity",
];

const ENERGIES = [
  "sensor.energy_total",
  "sensor.energy_charged",
  "sensor.energy_discharged",
  "sensor.energy_delivered",
];

const AMISS = ["off", "unavailable"];
const UNDER_WAY = ["scheduled", "acknowledged"];
const EVER = [...UNDER_WAY, "completed", "failed", "cancelled"];

// What other cards of a device's view tell.
const ELSEWHERE = [
  "binary_sensor.battery_charging",
  "binary_sensor.producing",
  "event.action",
  "sensor.last_action",
  "sensor.last_pulled",
];

// Commands of Amps AI, and where the front end has words for them.
/** @type {Record<string, string>} */
const COMMANDS = {
  charge: "component.amps_ai.entity.select.mode.state.charge",
  discharge: "component.amps_ai.entity.select.mode.state.discharge",
  idle: "component.amps_ai.entity.select.mode.state.idle",
  "auto.balanced": "component.amps_ai.entity.select.mode.state.auto_balanced",
  "auto.reserve": "component.amps_ai.entity.select.mode.state.auto_reserve",
  "auto.export": "component.amps_ai.entity.select.mode.state.auto_export",
  heat: "component.climate.entity_component._.state.heat",
  cool: "component.climate.entity_component._.state.cool",
  auto: "component.climate.entity_component._.state.heat_cool",
  follow_schedule:
    "component.amps_ai.entity.climate.climate.state_attributes.preset_mode.state.schedule",
};

/**
 * Return what says the words of the user's language.
 *
 * @param {Hass} hass
 * @returns {Promise<Say>}
 */
async function speaker(hass) {
  const own = hass.language.split("-")[0];
  const language = LANGUAGES.includes(own) ? own : "en";
  const url = new URL(`./words/${language}.json`, import.meta.url);
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url.pathname}: ${response.status}`);
  }
  const words = await response.json();
  return (key, values = {}) =>
    Object.entries(values).reduce(
      (text, [name, value]) => text.replace(`{${name}}`, String(value)),
      words[key],
    );
}

/**
 * Return what each device takes for a while.
 *
 * @param {Hass} hass
 * @returns {Promise<TimedCommands>}
 */
async function timedCommands(hass) {
  try {
    return await hass.callWS({ type: `${PLATFORM}/timed_commands` });
  } catch {
    // The page is older or newer than the integration.
    return {};
  }
}

/**
 * Return the accounts and their devices, whatever they are called.
 *
 * @param {Hass} hass
 * @returns {Account[]}
 */
function find(hass) {
  /** @type {Map<string, EntityEntry[]>} */
  const byDevice = new Map();
  for (const entry of Object.values(hass.entities)) {
    if (entry.platform === PLATFORM && entry.device_id && !entry.hidden) {
      byDevice.set(entry.device_id, [...(byDevice.get(entry.device_id) ?? []), entry]);
    }
  }
  /** @type {Map<string, Account>} */
  const accounts = new Map();
  /** @type {Device[]} */
  const devices = [];
  for (const [id, entries] of byDevice) {
    const device = hass.devices[id];
    if (device === undefined) {
      continue;
    }
    const account = device.primary_config_entry ?? "";
    const name = device.name_by_user || device.name || "";
    if (device.entry_type === "service") {
      const calendars = entries
        .map((entry) => entry.entity_id)
        .filter((entity) => entity.startsWith("calendar."));
      accounts.set(account, { id: account, name, calendars, devices: [] });
      continue;
    }
    const entities = new Map(
      entries.map((entry) => [keyOf(hass, entry), entry.entity_id]),
    );
    const kind = MARKS.find(([, keys]) => keys.some((key) => entities.has(key)));
    devices.push({
      id,
      name,
      account,
      area: device.area_id ?? null,
      kind: kind ? kind[0] : "other",
      entities,
      entries,
    });
  }
  devices.sort(
    (one, other) =>
      KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
      one.name.localeCompare(other.name, hass.language, { numeric: true }),
  );
  for (const device of devices) {
    accounts.get(device.account)?.devices.push(device);
  }
  return [...accounts.values()].sort((one, other) =>
    one.name.localeCompare(other.name, hass.language, { numeric: true }),
  );
}

/**
 * Return what an entity is, beside its device: its translation's key, else its
 * device class.
 *
 * @param {Hass} hass
 * @param {EntityEntry} entry
 */
function keyOf(hass, entry) {
  const domain = entry.entity_id.split(".")[0];
  const key =
    entry.translation_key ??
    hass.states[entry.entity_id]?.attributes.device_class ??
    entry.entity_id;
  return `${domain}.${key}`;
}

/** Makes the cards of one view. */
class Cards {
  /**
   * @param {Hass} hass
   * @param {Say} say
   * @param {Device[]} devices those that the view shows
   * @param {TimedCommands} timed
   */
  constructor(hass, say, devices, timed) {
    this.hass = hass;
    this.say = say;
    this.timed = timed;
    /** @type {Map<string, number>} */
    this.names = new Map();
    for (const device of devices) {
      for (const entity of device.entities.values()) {
        const name = this.nameOf(entity);
        this.names.set(name, (this.names.get(name) ?? 0) + 1);
      }
    }
  }

  /**
   * Return what an entity is called beside its device.
   *
   * @param {string} entity
   */
  nameOf(entity) {
    const state = this.hass.states[entity];
    const name = state && this.hass.formatEntityName(state, { type: "entity" });
    return name || this.hass.entities[entity]?.name || "";
  }

  /**
   * Return a name that nothing else in the view has, also for those who only
   * hear it.
   *
   * @param {Device} device
   * @param {string} entity
   */
  label(device, entity) {
    const name = this.nameOf(entity);
    if (!name || name === device.name) {
      return device.name;
    }
    return (this.names.get(name) ?? 0) > 1 ? `${device.name} ${name}` : name;
  }

  /**
   * Return a tile, or nothing where the device has no such entity.
   *
   * @param {Device} device
   * @param {string} key
   * @param {Record<string, any>} [options]
   * @returns {Card[]}
   */
  tile(device, key, options = {}) {
    const entity = device.entities.get(key);
    if (entity === undefined) {
      return [];
    }
    return [
      {
        type: "tile",
        entity,
        name: this.label(device, entity),
        grid_options: { columns: 12 },
        ...options,
      },
    ];
  }

  /**
   * @param {string} heading
   * @param {string} icon
   * @param {Record<string, any>} [options]
   * @returns {Card}
   */
  heading(heading, icon, options = {}) {
    return { type: "heading", heading, icon, ...options };
  }

  /**
   * Return how old a device's reading is.
   *
   * @param {Device} device
   */
  badges(device) {
    const entity = device.entities.get("sensor.last_pulled");
    return entity
      ? [
          {
            type: "entity",
            entity,
            icon: "mdi:clock-outline",
            tap_action: { action: "more-info" },
          },
        ]
      : [];
  }

  /**
   * Return what a device does, since when, and how much.
   *
   * @param {Device} device
   * @param {Record<string, any>} [power] more of the power's tile
   * @returns {Card[]}
   */
  readings(device, power = {}) {
    const since = { state_content: ["state", "last_changed"] };
    return [
      ...(device.entities.has("sensor.status")
        ? this.tile(device, "sensor.status", since)
        : this.tile(device, "binary_sensor.battery_charging", since)),
      ...this.tile(device, "sensor.battery", { features: [{ type: "bar-gauge" }] }),
      ...this.tile(device, "sensor.power", power),
      ...this.tile(device, "binary_sensor.plug", since),
      ...this.tile(device, "sensor.range"),
      ...this.tile(device, "sensor.charge_time_remaining", {
        visibility: [
          {
            condition: "numeric_state",
            entity: device.entities.get("sensor.charge_time_remaining"),
            above: 0,
          },
        ],
      }),
    ];
  }

  /**
   * Return what a device can be told, and its newest command while that is in
   * one of some states.
   *
   * @param {Device} device
   * @param {string[]} states
   * @returns {Card[]}
   */
  controls(device, states) {
    return [
      ...this.tile(device, "climate.climate", {
        state_content: ["hvac_action", "current_temperature", "preset_mode"],
        features: [
          { type: "target-temperature" },
          { type: "climate-hvac-modes", style: "icons" },
          { type: "climate-preset-modes", style: "dropdown" },
        ],
      }),
      ...this.tile(device, "select.mode", { features: [{ type: "select-options" }] }),
      ...this.tile(device, "switch.charge", { features: [{ type: "toggle" }] }),
      ...this.tile(device, "number.max_power", {
        features: [{ type: "numeric-input", style: "slider" }],
      }),
      ...this.choices(device),
      ...this.commands(device, states),
    ];
  }

  /**
   * Return what can be had by one tap.
   *
   * @param {Device} device
   * @returns {Card[]}
   */
  choices(device) {
    // From a minute ahead, as some devices take commands with both ends only.
    const data = {
      device_id: device.id,
      delay: { minutes: 1 },
      duration: { hours: HOURS },
    };
    if (device.kind === "hvac") {
      return this.holds(device, data);
    }
    return /** @type {[string, string][]} */ ([
      ["charge", device.kind === "battery" ? "mdi:battery-plus" : "mdi:ev-plug-type2"],
      ["discharge", "mdi:battery-minus"],
    ])
      .filter(([command]) => this.timed[device.id]?.includes(command))
      .map(([command, icon]) =>
        this.choice(device, `${command}_for`, icon, command, data),
      );
  }

  /**
   * @param {Device} device
   * @param {string} word
   * @param {string} icon
   * @param {string} action
   * @param {Record<string, any>} data
   * @param {Record<string, string>} [values]
   * @returns {Card}
   */
  choice(device, word, icon, action, data, values = {}) {
    return {
      type: "shortcut",
      label: this.say(word, { hours: HOURS, ...values }),
      description: device.name,
      icon,
      grid_options: { columns: 12 },
      tap_action: {
        action: "perform-action",
        perform_action: `${PLATFORM}.${action}`,
        data,
      },
    };
  }

  /**
   * Return the temperatures that a thermostat can be told to hold for a while.
   *
   * @param {Device} device
   * @param {Record<string, any>} data
   * @returns {Card[]}
   */
  holds(device, data) {
    const entity = device.entities.get("climate.climate");
    const state = entity ? this.hass.states[entity] : undefined;
    if (state === undefined) {
      return [];
    }
    const { min_temp: min, max_temp: max } = state.attributes;
    const fahrenheit = this.hass.config.unit_system.temperature === "°F";
    return /** @type {[string, number, string][]} */ ([
      ["heat", fahrenheit ? 70 : 21, "mdi:sun-thermometer"],
      ["cool", fahrenheit ? 75 : 24, "mdi:snowflake-thermometer"],
    ])
      .filter(
        ([mode, value]) =>
          this.timed[device.id]?.includes(mode) && !(value < min) && !(value > max),
      )
      .map(([mode, value, icon]) => {
        const celsius = fahrenheit ? ((value - 32) * 5) / 9 : value;
        const target = Math.round(celsius * 2) / 2;
        return this.choice(
          device,
          `${mode}_for`,
          icon,
          "hold_temperature",
          { ...data, mode, target },
          { temperature: `${value} ${this.hass.config.unit_system.temperature}` },
        );
      });
  }

  /**
   * Return a card with a device's newest command, in words, while it is in one
   * of some states.
   *
   * @param {Device} device
   * @param {string[]} states
   * @returns {Card[]}
   */
  commands(device, states) {
    const rows = this.commandRows(device, states, "");
    if (!rows.length) {
      return [];
    }
    return [
      {
        type: "entity-filter",
        show_empty: false,
        entities: rows,
        card: { type: "entities" },
        grid_options: { columns: 12 },
      },
    ];
  }

  /**
   * @param {Device} device
   * @param {string[]} states
   * @param {string} whose what is said behind the command
   * @param {boolean} [words] whether to say which command it is
   */
  commandRows(device, states, whose, words = true) {
    const entity = device.entities.get("sensor.last_action");
    if (entity === undefined) {
      return [];
    }
    const state = { condition: "state", entity, state: states };
    const row = { entity, secondary_info: "last-changed" };
    const plain = { ...row, name: this.nameOf(entity) + whose };
    if (!words) {
      return [{ ...plain, conditions: [state] }];
    }
    const known = Object.entries(COMMANDS).map(([command, way]) => ({
      ...row,
      name: this.wordOf(device, command, way) + whose,
      conditions: [
        state,
        { condition: "state", entity, attribute: "command", state: command },
      ],
    }));
    return [
      ...known,
      {
        ...plain,
        conditions: [
          state,
          {
            condition: "state",
            entity,
            attribute: "command",
            state_not: Object.keys(COMMANDS),
          },
        ],
      },
    ];
  }

  /**
   * @param {Device} device
   * @param {string} command
   * @param {string} way
   */
  wordOf(device, command, way) {
    if (command === "idle" && device.kind !== "battery") {
      return this.say(device.kind === "hvac" ? "turn_off" : "pause");
    }
    return (
      this.hass.localize(way) ||
      this.nameOf(device.entities.get("sensor.last_action") ?? "")
    );
  }

  /**
   * Return a card that is there only while something is amiss.
   *
   * @param {Device[]} devices
   * @returns {Card[]}
   */
  trouble(devices) {
    const rows = devices.flatMap((device) => {
      const link = device.entities.get("binary_sensor.connectivity");
      const status = device.entities.get("sensor.status");
      const since = { secondary_info: "last-changed" };
      return [
        ...(link
          ? [
              {
                ...since,
                entity: link,
                name: `${device.name} ${this.nameOf(link)}`,
                conditions: [{ condition: "state", entity: link, state: AMISS }],
              },
            ]
          : []),
        ...(status
          ? [
              {
                ...since,
                entity: status,
                name: `${device.name} ${this.nameOf(status)}`,
                conditions: [
                  {
                    condition: "state",
                    entity: status,
                    state: ["fault", "out_of_service"],
                  },
                ],
              },
            ]
          : []),
        ...this.commandRows(
          device,
          ["failed"],
          `: ${device.name}`,
          devices.length <= FEW,
        ),
      ];
    });
    /** @type {Card[]} */
    const cards = [
      { type: "repairs", hide_empty: true, grid_options: { columns: 12 } },
    ];
    if (rows.length) {
      cards.push({
        type: "entity-filter",
        show_empty: false,
        entities: rows,
        card: { type: "entities", title: this.say("trouble"), state_color: true },
        grid_options: { columns: 12 },
      });
    }
    return cards;
  }

  /**
   * @param {Device[]} devices
   * @returns {Card[]}
   */
  today(devices) {
    return devices.flatMap((device) =>
      ENERGIES.flatMap((key) => {
        const entity = device.entities.get(key);
        return entity
          ? [
              {
                type: "statistic",
                entity,
                name: this.say(key.split(".")[1], { name: device.name }),
                stat_type: "change",
                period: { calendar: { period: "day" } },
                grid_options: { columns: 12 },
                // What was never measured would be a unit without a number.
                visibility: [{ condition: "state", entity, state_not: "unknown" }],
              },
            ]
          : [];
      }),
    );
  }
}

/**
 * @param {Card[]} cards
 * @param {Record<string, any>} [options]
 * @returns {Section[]}
 */
function section(cards, options = {}) {
  return cards.length ? [{ type: "grid", cards, ...options }] : [];
}

/**
 * Return the power as it flows now, as the Energy dashboard knows it.
 *
 * @param {Hass} hass
 * @param {Cards} cards
 * @param {Device[]} devices
 * @returns {Promise<Card[]>}
 */
async function flow(hass, cards, devices) {
  const heading = cards.heading(cards.say("flow"), "mdi:transit-connection-variant");
  if (await powerIsKnown(hass)) {
    return [
      heading,
      {
        type: "power-sankey",
        // Each level of it takes from the room for names.
        group_by_area: false,
        group_by_floor: false,
        grid_options: { columns: 12, rows: 5 },
      },
    ];
  }
  const powers = devices.flatMap((device) => {
    const entity = device.entities.get("sensor.power");
    return entity ? [{ entity, name: device.name }] : [];
  });
  /** @type {Card[]} */
  const shown = [];
  if (powers.length && powers.length <= SOME) {
    shown.push({
      type: "history-graph",
      hours_to_show: 24,
      title: cards.say("last_day"),
      entities: powers,
      grid_options: { columns: 12 },
    });
  }
  if (hass.user?.is_admin && hass.config.components.includes("energy")) {
    shown.push({
      type: "shortcut",
      label: cards.say("set_up_flow"),
      description: cards.say("set_up_flow_where"),
      icon: "mdi:lightning-bolt",
      grid_options: { columns: 12 },
      tap_action: { action: "navigate", navigation_path: "/config/energy" },
    });
  }
  return shown.length ? [heading, ...shown] : [];
}

/**
 * Tell whether the Energy dashboard knows a power of a source.
 *
 * @param {Hass} hass
 */
async function powerIsKnown(hass) {
  if (!hass.config.components.includes("energy")) {
    return false;
  }
  try {
    /** @type {{ energy_sources: { stat_rate?: string }[] }} */
    const prefs = await hass.callWS({ type: "energy/get_prefs" });
    return prefs.energy_sources.some((source) => source.stat_rate);
  } catch {
    // Nothing has been set up there.
    return false;
  }
}

/**
 * Return what comes next, which is there only while something is planned.
 *
 * @param {Cards} cards
 * @param {string[]} calendars
 * @returns {Card[]}
 */
function planned(cards, calendars) {
  if (!calendars.length) {
    return [];
  }
  // A calendar without an event to come has no such attribute.
  const visibility = [
    {
      condition: "or",
      conditions: calendars.map((entity) => ({
        condition: "state",
        entity,
        attribute: "message",
        state_not: "unknown",
      })),
    },
  ];
  return [
    cards.heading(cards.say("planned"), "mdi:calendar-clock", { visibility }),
    {
      type: "calendar",
      entities: calendars,
      initial_view: "listWeek",
      grid_options: { columns: 12, rows: 6 },
      visibility,
    },
  ];
}

/**
 * Return the dashboard: a view for each account, and one for each device.
 *
 * @param {Hass} hass
 * @returns {Promise<{ title: string, views: View[] }>}
 */
export async function dashboard(hass) {
  const say = await speaker(hass);
  const accounts = find(hass);
  if (!accounts.length) {
    return { title: "Amps AI", views: [nothing(hass, say)] };
  }
  return {
    title: "Amps AI",
    views: [
      ...accounts.map((account) => ({
        title: accounts.length > 1 ? account.name : say("overview"),
        path: accounts.length > 1 ? `account-${account.id}` : "overview",
        strategy: { type: STRATEGY, account: account.id },
      })),
      ...accounts.flatMap((account) =>
        account.devices.map((device) => ({
          title: device.name,
          path: pathOf(device),
          subview: true,
          strategy: { type: STRATEGY, device: device.id },
        })),
      ),
    ],
  };
}

/** @param {Device} device */
function pathOf(device) {
  return `device-${device.id}`;
}

/**
 * Return a view for a home without anything to show.
 *
 * @param {Hass} hass
 * @param {Say} say
 * @returns {View}
 */
function nothing(hass, say) {
  return {
    title: "Amps AI",
    type: "panel",
    cards: [
      {
        type: "empty-state",
        icon: "mdi:home-lightning-bolt-outline",
        title: say("no_devices"),
        content: say("no_devices_why"),
        ...(hass.user?.is_admin && {
          buttons: [
            {
              text: "Amps AI",
              appearance: "filled",
              variant: "brand",
              tap_action: {
                action: "navigate",
                navigation_path: `/config/integrations/integration/${PLATFORM}`,
              },
            },
          ],
        }),
      },
    ],
  };
}

/**
 * Return the view of an account or of a device.
 *
 * @param {StrategyConfig} config
 * @param {Hass} hass
 * @returns {Promise<View>}
 */
export async function view(config, hass) {
  const [say, timed] = await Promise.all([speaker(hass), timedCommands(hass)]);
  for (const account of find(hass)) {
    if (config.account === account.id) {
      return account.devices.length
        ? overview(hass, account, new Cards(hass, say, account.devices, timed))
        : nothing(hass, say);
    }
    for (const device of account.devices) {
      if (config.device === device.id) {
        return single(hass, device, new Cards(hass, say, [device], timed));
      }
    }
  }
  // It went while its view was open.
  return nothing(hass, say);
}

/**
 * @param {Hass} hass
 * @param {Account} account
 * @param {Cards} cards
 * @returns {Promise<View>}
 */
async function overview(hass, account, cards) {
  const { devices, calendars } = account;
  const { say } = cards;
  const today = cards.today(devices);
  const few = devices.length <= FEW;
  return {
    type: "sections",
    max_columns: 3,
    sections: [
      ...section([
        ...cards.trouble(devices),
        ...(await flow(hass, cards, devices)),
        ...planned(cards, calendars),
      ]),
      ...(few
        ? devices.flatMap((device) => ofDevice(cards, device))
        : inGroups(hass, cards, devices)),
      ...(today.length && today.length <= SOME
        ? section([cards.heading(say("today"), "mdi:calendar-today"), ...today])
        : []),
    ],
  };
}

/**
 * @param {Cards} cards
 * @param {Device} device
 * @returns {Section[]}
 */
function ofDevice(cards, device) {
  return section([
    cards.heading(device.name, ICONS[device.kind], {
      badges: cards.badges(device),
      tap_action: { action: "navigate", navigation_path: pathOf(device) },
    }),
    ...cards.readings(device),
    ...cards.controls(device, UNDER_WAY),
  ]);
}

/**
 * Return a section for each area, and for each kind of devices that are in none,
 * with a tile for each device.
 *
 * @param {Hass} hass
 * @param {Cards} cards
 * @param {Device[]} devices
 * @returns {Section[]}
 */
function inGroups(hass, cards, devices) {
  const areas = Object.values(hass.areas)
    .map(({ area_id: id, name, icon }) => ({
      name,
      icon: icon || "mdi:texture-box",
      those: devices.filter((device) => device.area === id),
    }))
    .sort((one, other) => one.name.localeCompare(other.name, hass.language));
  const kinds = KINDS.map((kind) => ({
    name: cards.say(`kind_${kind}`),
    icon: ICONS[kind],
    those: devices.filter(
      (device) => device.kind === kind && !hass.areas[device.area ?? ""],
    ),
  }));
  return [...areas, ...kinds]
    .filter(({ those }) => those.length)
    .flatMap(({ name, icon, those }) =>
      section([
        cards.heading(name, icon),
        ...those.flatMap((device) => {
          const key = MAIN.find((candidate) => device.entities.has(candidate));
          const entity = device.entities.get(key ?? "") ?? device.entries[0].entity_id;
          return {
            type: "tile",
            entity,
            name: device.name,
            icon: ICONS[device.kind],
            state_content:
              key === "climate.climate"
                ? ["hvac_action", "current_temperature"]
                : ["state", "last_changed"],
            grid_options: { columns: 12 },
            tap_action: { action: "navigate", navigation_path: pathOf(device) },
          };
        }),
      ]),
    );
}

/**
 * Return the view with all of a device.
 *
 * @param {Hass} hass
 * @param {Device} device
 * @param {Cards} cards
 * @returns {View}
 */
function single(hass, device, cards) {
  const { say } = cards;
  const readings = cards.readings(device, {
    features: [{ type: "trend-graph", hours_to_show: 24 }],
  });
  const controls = cards.controls(device, EVER);
  const today = cards.today([device]);
  const shown = new Set(
    [...readings, ...controls, ...today].map((card) => card.entity),
  );
  const rest = device.entries.filter(
    (entry) => !shown.has(entry.entity_id) && !ELSEWHERE.includes(keyOf(hass, entry)),
  );
  /** @param {string | undefined} category */
  const tiles = (category) =>
    rest
      .filter((entry) => entry.entity_category === category)
      .map(({ entity_id: entity }) => ({
        type: "tile",
        entity,
        name: cards.label(device, entity),
        grid_options: { columns: 12 },
        // A slider over thousands of watts hits none of them.
        ...(entity.startsWith("number.") &&
          hass.states[entity]?.attributes.unit_of_measurement === "%" && {
            features: [{ type: "numeric-input", style: "slider" }],
          }),
        ...(entity.startsWith("switch.") && { features: [{ type: "toggle" }] }),
        ...(entity.startsWith("button.") && { features: [{ type: "button" }] }),
      }));
  // Nothing is said twice there: a control tells what came of its command.
  const acting = device.entries.filter(
    (entry) => shown.has(entry.entity_id) || !ELSEWHERE.includes(keyOf(hass, entry)),
  );
  const settings = tiles("config");
  const age =
    hass.user?.is_admin && !device.entities.has("sensor.last_pulled")
      ? [
          {
            type: "shortcut",
            label: say("age"),
            description: say("age_how", {
              sensor: hass.localize("component.amps_ai.entity.sensor.last_pulled.name"),
            }),
            icon: "mdi:clock-plus-outline",
            grid_options: { columns: 12 },
            tap_action: {
              action: "navigate",
              navigation_path: `/config/devices/device/${device.id}`,
            },
          },
        ]
      : [];
  /**
   * @param {string} word
   * @param {string} icon
   * @param {Card[]} under
   */
  const headed = (word, icon, under) =>
    under.length ? [cards.heading(say(word), icon), ...under] : [];
  return {
    type: "sections",
    max_columns: 3,
    sections: [
      ...section([
        ...cards.trouble([device]),
        cards.heading(device.name, ICONS[device.kind], {
          badges: cards.badges(device),
        }),
        ...readings,
        ...tiles(undefined),
      ]),
      ...section([
        ...headed("controls", "mdi:gesture-tap", controls),
        ...headed("settings", "mdi:tune", settings),
      ]),
      ...section([
        ...headed("today", "mdi:calendar-today", today),
        ...(hass.config.components.includes("logbook")
          ? headed("activity", "mdi:format-list-bulleted-type", [
              {
                type: "logbook",
                target: { entity_id: acting.map((entry) => entry.entity_id) },
                hours_to_show: 24,
                grid_options: { columns: 12, rows: 6 },
              },
            ])
          : []),
        ...headed("diagnostic", "mdi:stethoscope", [...tiles("diagnostic"), ...age]),
      ]),
    ],
  };
}
