// @ts-check
// All that a page loads: it says that there is a dashboard of Amps AI, and loads
// the rest of it where one is opened.

/** @import { Hass, StrategyConfig } from "./types.js" */

// What stands under the name where a dashboard is added.
/** @type {Record<string, string>} */
const DESCRIPTIONS = {
  de: "Was deine Batterien, Wallboxen, Thermostate, Wechselrichter und Fahrzeuge tun, und was geplant ist.",
  en: "What your batteries, chargers, thermostats, inverters and vehicles do, and what is planned.",
  es: "Qué hacen tus baterías, cargadores, termostatos, inversores y vehículos, y qué está programado.",
  fr: "Ce que font vos batteries, bornes, thermostats, onduleurs et véhicules, et ce qui est prévu.",
  it: "Che cosa fanno batterie, stazioni di ricarica, termostati, inverter e veicoli, e che cosa è previsto.",
  nl: "Wat je batterijen, laadpalen, thermostaten, omvormers en voertuigen doen, en wat er gepland is.",
};

const TYPE = "amps-ai";

class AmpsDashboardStrategy extends HTMLElement {
  static noEditor = true;

  /** @returns {{ title: string, icon: string }} */
  static getCreateSuggestions() {
    return { title: "Amps AI", icon: "mdi:home-lightning-bolt" };
  }

  /**
   * @param {StrategyConfig} _config
   * @param {Hass} before
   * @param {Hass} now
   */
  static shouldRegenerate(_config, before, now) {
    return changed(before, now);
  }

  /**
   * @param {StrategyConfig} _config
   * @param {Hass} hass
   */
  static async generate(_config, hass) {
    return (await import("./strategy.js")).dashboard(hass);
  }
}

class AmpsViewStrategy extends HTMLElement {
  /**
   * @param {StrategyConfig} _config
   * @param {Hass} before
   * @param {Hass} now
   */
  static shouldRegenerate(_config, before, now) {
    return changed(before, now);
  }

  /**
   * @param {StrategyConfig} config
   * @param {Hass} hass
   */
  static async generate(config, hass) {
    return (await import("./strategy.js")).view(config, hass);
  }
}

/**
 * Tell whether there is something else to show than before: another device,
 * entity, name or area, another language, or a state where none was.
 *
 * @param {Hass} before
 * @param {Hass} now
 */
function changed(before, now) {
  if (
    before.entities !== now.entities ||
    before.devices !== now.devices ||
    before.areas !== now.areas ||
    before.language !== now.language
  ) {
    return true;
  }
  return ids(now).some((id) => id in before.states !== id in now.states);
}

/** @type {WeakMap<object, string[]>} */
const known = new WeakMap();

/**
 * Return the integration's entities, looked up once for each registry.
 *
 * @param {Hass} hass
 */
function ids(hass) {
  let found = known.get(hass.entities);
  if (found === undefined) {
    found = Object.values(hass.entities)
      .filter((entity) => entity.platform === "amps_ai")
      .map((entity) => entity.entity_id);
    known.set(hass.entities, found);
  }
  return found;
}

/** @type {any} */ (window).customStrategies ??= [];
const strategies = /** @type {any} */ (window).customStrategies;
// A page that stays open over an update gets this a second time.
if (!strategies.some((/** @type {any} */ known) => known.type === TYPE)) {
  strategies.push({
    type: TYPE,
    strategyType: "dashboard",
    name: "Amps AI",
    get description() {
      const home = /** @type {any} */ (document.querySelector("home-assistant"));
      const language = String(home?.hass?.language ?? "en").split("-")[0];
      return DESCRIPTIONS[language] ?? DESCRIPTIONS.en;
    },
    documentationURL: "https://github.com/amps-ai/home-assistant",
  });
  // The front end puts a registry of its own in the place of the browser's, which
  // does not know what was defined before.
  customElements.whenDefined("home-assistant").then(() => {
    customElements.define(`ll-strategy-dashboard-${TYPE}`, AmpsDashboardStrategy);
    customElements.define(`ll-strategy-view-${TYPE}`, AmpsViewStrategy);
  });
}
