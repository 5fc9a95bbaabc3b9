// What the server tells the client: see section 5 of the design for the API's answers.

export type CareForm = string;
export type Freshness = "fresh" | "ageing" | "stale" | "unknown";

export interface Vacancy {
  care_form: CareForm;
  count: number;
  sex?: string | null;
  room?: string | null;
  focuses?: string[] | null;
  available_from?: string | null;
  available_until?: string | null;
}

export interface Costs {
  care_eur?: number | null;
  training_eur?: number | null;
  board_eur?: number | null;
  investment_eur?: number | null;
}

export interface Home {
  name: string;
  status?: string;
  distance_km?: number | null;
  freshness: Freshness;
  standing?: string;
  free?: Record<CareForm, number>;
  vacancies?: Vacancy[];
  costs?: Costs | null;
  focuses?: string[];
  waiting_list?: string | null;
  admission_stop?: { reason: string; until?: string | null } | null;
  observed_at?: string | null;
  confirmed_at?: string | null;
  revision: number;
  /** Whose home it is where that is a neighbour's. */
  origin?: { name: string; silent_since: string | null };
  contact?: { phone?: string | null } | null;
  address?: { postcode?: string | null; city?: string | null } | null;
}

export interface Feature {
  id: string;
  geometry: { coordinates: [longitude: number, latitude: number] };
  properties: Home;
}

/** Columns with one entry a home. */
export interface Points {
  revision: number;
  cursor: string;
  id: string[];
  name: string[];
  latitude: number[];
  longitude: number[];
  distance_km: number[] | null;
  free: number[];
  freshness: Freshness[];
  said_at: (string | null)[];
}

type Labels = Record<string, string>;

/** What every page with a client says. */
export interface Spoken {
  tag: string;
  careForms: Labels;
  texts: Labels;
  /** By the name of the text, then by the name of the form (`Intl.PluralRules`). */
  plurals: Record<string, Labels>;
  freshness?: Labels;
  standings?: Labels;
}

export interface Words extends Spoken {
  focuses: Labels;
  rooms: Labels;
  sexes: Labels;
  stops: Labels;
  waiting: Labels;
  freshness: Labels;
  standings: Labels;
}

/** The map under the marks, if the operator has chosen one. */
export interface Basemap {
  kind: "raster" | "pmtiles";
  address: string;
  attribution: string;
}

/** On every page. */
export interface Start {
  words: Words;
  /** Before and behind the path of a link to a page for readers. */
  linkPrefix: string;
  linkSuffix: string;
  basemap: Basemap | null;
  centres: [latitude: number, longitude: number][];
}

export interface FinderStart extends Start {
  search: string;
  /** The state of the cards in the page. */
  revision: number;
  cursor: string;
  /** Whether the list begins in the middle. */
  after: boolean;
  radiusKm: number;
  area: "around" | "section" | "town" | "region";
  /** The part of the map that the list shows. */
  bbox: [west: number, south: number, east: number, north: number] | null;
  place: string;
  /** What the centres are called, in their order; empty for one without a name. */
  centreNames: string[];
  careForms: CareForm[];
  byHome: boolean;
  includeFull: boolean;
  asOf: string;
}

export interface HomeStart extends Start {
  id: string;
  revision: number;
  /** A stream of the home's surroundings, and where it goes on. */
  search: string;
  cursor: string;
  asOf: string;
  /** What one pays, as a sentence: by year of stay, and "0" with care grade 1. */
  shares: Record<string, string>;
}

/** The data that the server has put into the page. */
export function readStart<T extends { words: Spoken }>(): T {
  return JSON.parse(element("start").textContent ?? "") as T;
}

/** An element that the server's markup always has. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page lacks #${id}.`);
  return found as T;
}
