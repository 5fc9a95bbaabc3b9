// What the server has put into the report page.
import type { Line } from "./queue";
import { element, type Spoken } from "../types";

export interface OtherHome {
  id: string;
  name: string;
  href: string;
  isThis: boolean;
}

export interface ReportStart {
  homeId: string;
  name: string;
  /** Where to report. */
  address: string;
  revision: number;
  undoSeconds: number;
  /** The page shows what was entered and refused: none of it is stored. */
  isTyped: boolean;
  /** Who reports here. */
  person: string;
  /** Of somebody who is signed in; empty for a link. */
  csrf: string;
  /** Where to sign in for this home; empty where nobody can. */
  signIn: string;
  /** By the key of its row. */
  lines: Record<string, Line>;
  homes: OtherHome[];
  words: Spoken;
}

export function readReportStart(): ReportStart {
  return JSON.parse(element("client").textContent ?? "") as ReportStart;
}
