// What was reported here and what became of it: sent, waiting, refused, or overtaken.
import { hideNotice, noticeKind, showNotice, type Choice } from "./notice";
import { forget, keep, update, waiting, type Line, type State, type Waiting } from "./queue";
import { CHANNEL, sendWaiting, type Answer, type Outcome } from "./sending";
import { sendLater } from "./shell";
import type { ReportStart } from "./start";
import { sideBySide } from "./states";
import { countDown, undo } from "./undo";
import type { Spoken } from "../types";
import type { Language } from "../words";

const RETRY_MS = 30_000;

export interface Body {
  if_match: number;
  observed_at: string;
  unchanged?: true;
  /** A likely slip is none, or nobody is there to be asked. */
  sure?: true;
  vacancies?: Line[];
  amend: Record<string, unknown>;
}

export class Outbox {
  /** Changes while this page is open: by what it has sent. */
  revision: number;
  #sending = 0;

  constructor(
    readonly start: ReportStart,
    readonly language: Language<Spoken>,
    /** Called when a report of this home has arrived. */
    readonly onSent: (stored: State) => void,
  ) {
    this.revision = start.revision;
    const channel = new BroadcastChannel(CHANNEL);
    channel.addEventListener("message", (event: MessageEvent<Outcome>) => {
      void this.#receive(event.data);
    });
    addEventListener("online", () => this.trySending());
    addEventListener("offline", () => this.trySending());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.trySending();
    });
    setInterval(() => this.trySending(), RETRY_MS);
  }

  /** Because somebody has pressed a button, and there is no answer yet. */
  get isSending(): boolean {
    return this.#sending > 0;
  }

  /** Keep the report on this device, then send it; `lines` are what the page shows. Throws if it
   * cannot be kept. */
  async report(body: Body, lines: Line[]): Promise<void> {
    const { homeId, name, person, csrf } = this.start;
    await keep({
      key: crypto.randomUUID(),
      homeId,
      name,
      address: this.start.address,
      person,
      csrf,
      lines,
      body: JSON.stringify(body),
      madeAt: body.observed_at,
      wasTried: false,
      trouble: null,
    });
    void sendLater();
    // It is kept: whatever happens now, it must not be sent by another way too.
    await this.#sendNow().catch(() => undefined);
  }

  /** By the clock, or because there is a network: says nothing unless something has changed. */
  trySending(): void {
    // Where nothing can be kept, nothing waits.
    this.send().catch(() => undefined);
  }

  /** Send what waits, and show what still does. */
  async send(): Promise<void> {
    if ((await waiting()).length === 0) return;
    await this.adopt();
    await sendWaiting();
    await this.show();
  }

  /** Because somebody has pressed a button. */
  async #sendNow(): Promise<void> {
    this.#sending++;
    try {
      await this.show();
      await this.send();
    } finally {
      this.#sending--;
    }
    await this.show();
  }

  /** The report of this home that waits, the newest of them. */
  async ofThisHome(): Promise<Waiting | undefined> {
    return (await waiting()).filter(({ homeId }) => homeId === this.start.homeId).at(-1);
  }

  /** Say what waits; nothing if nothing does. */
  async show(): Promise<void> {
    const all = await waiting();
    const mine = all.filter(({ homeId }) => homeId === this.start.homeId).at(-1);
    const others = all.filter(({ homeId }) => homeId !== this.start.homeId).length;
    const more = others > 0 ? this.language.plural("othersWait", others) : "";
    if (mine === undefined) {
      // What became of the report of this home is of more interest.
      if (more !== "" && noticeKind() !== "good") showNotice("waits", [more]);
      return;
    }
    const at = { time: this.language.moment(new Date(mine.madeAt)) };
    if (mine.trouble?.kind === "changed") return this.#ask(mine, mine.trouble.current);
    const discard = {
      label: this.language.text("discard"),
      act: () => void this.#discard(mine),
    };
    if (mine.trouble?.kind === "doubtful") {
      this.#askBack(mine, mine.trouble.detail);
    } else if (mine.trouble?.kind === "refused") {
      const texts = [this.language.text("refused"), mine.trouble.detail];
      showNotice("bad", texts, { choices: [discard] });
    } else if (mine.trouble !== null) {
      const { kind } = mine.trouble;
      showNotice("bad", [this.language.text(kind), this.language.text("kept", at)], {
        choices: this.start.signIn === "" ? [discard] : [this.#signIn(kind), discard],
      });
    } else if (this.isSending && navigator.onLine) {
      showNotice("waits", [this.language.text("sending")]);
    } else {
      const again = {
        label: this.language.text("tryNow"),
        act: () => void this.#sendNow().catch(() => undefined),
      };
      // It may have arrived: then it can be corrected, but no longer kept back.
      const choices = mine.wasTried ? [again] : [again, discard];
      showNotice("waits", [this.language.text("notSent", at), more], { choices });
    }
  }

  #signIn(kind: "dead" | "signedOut"): Choice {
    const act = (): void => location.assign(this.start.signIn);
    return { label: this.language.text("signIn"), isMain: kind === "signedOut", act };
  }

  /** What could not be sent by a link that is over, or in a session that has ended, goes by the
   * page that was opened now: if the same person has made it. A page that opens says that its own
   * link is good (again). */
  async adopt(isOpening = false): Promise<void> {
    const { homeId, address, person, csrf } = this.start;
    for (const report of await waiting()) {
      const kind = report.trouble?.kind;
      const isOver = kind === "dead" || kind === "signedOut";
      if (report.person !== person || !(isOver || kind === undefined)) continue;
      if (report.homeId === homeId) {
        if (report.address !== address || report.csrf !== csrf || (isOpening && isOver))
          await update(report.key, { address, csrf, trouble: null });
      } else if (report.csrf !== "" && csrf !== "" && report.csrf !== csrf) {
        await update(report.key, { csrf, trouble: null });
      }
    }
  }

  async #receive({ homeId, answer }: Outcome): Promise<void> {
    if (homeId !== this.start.homeId) return this.show();
    if (answer === null) return this.show();
    this.revision = answer.revision;
    // What was pressed since is what the page shows; its answer is to come.
    if ((await this.ofThisHome()) !== undefined) return this.show();
    this.onSent(answer.state);
    this.#sent(answer);
  }

  #sent({ reported_at, watching, told }: Answer): void {
    const { language, start } = this;
    const time = language.clock(new Date(reported_at));
    const texts = [
      language.text("sent", { time }),
      watching > 0 ? language.plural("watching", watching) : "",
    ];
    const [button] = showNotice("good", texts, {
      choices: [{ label: "", act: () => void this.#undo(told) }],
    });
    if (button === undefined) return;
    countDown(button, button, start.undoSeconds, language.text("undoName"), (left) =>
      language.text("undo", { seconds: left }),
    );
  }

  async #undo(revision: number): Promise<void> {
    try {
      const address = await undo(this.start.address, revision, this.start.csrf);
      if (address !== undefined) return location.assign(address);
      showNotice("bad", [this.language.text("undoFailed")]);
    } catch {
      showNotice("bad", [this.language.text("undoOffline")]);
    }
  }

  /** It looks like a slip: nothing is stored before somebody says that it is none. */
  #askBack(mine: Waiting, detail: string): void {
    const { language } = this;
    const body: Body = { ...(JSON.parse(mine.body) as Body), sure: true };
    showNotice("asks", [detail], {
      about: mine.key,
      choices: [
        { label: language.text("correct"), isMain: true, act: () => void this.#correct(mine) },
        { label: language.text("sure"), act: () => void this.report(body, mine.lines) },
      ],
    });
  }

  /** Back to the numbers as they were typed. */
  async #correct(report: Waiting): Promise<void> {
    await forget(report.key);
    hideNotice();
    document.querySelector<HTMLElement>(".count-set input")?.focus();
  }

  /** Somebody else was quicker: both states, and the choice. */
  #ask(mine: Waiting, current: State): void {
    const { language } = this;
    const body = JSON.parse(mine.body) as Body;
    const { lines } = mine;
    const sides = [
      { heading: language.text("mine"), at: mine.madeAt, lines },
      { heading: language.text("theirs"), at: current.said_at, lines: current.vacancies },
    ];
    const report = (): Body => ({
      if_match: current.revision,
      observed_at: new Date().toISOString(),
      sure: true,
      vacancies: lines,
      amend: body.amend,
    });
    showNotice("asks", [language.text("conflict")], {
      about: `${mine.key} ${current.revision}`,
      body: sideBySide(sides, language),
      choices: [
        {
          label: language.text("reportMine"),
          isMain: true,
          act: () => void this.report(report(), lines),
        },
        { label: language.text("keepTheirs"), act: () => void this.#discard(mine) },
      ],
    });
  }

  async #discard(report: Waiting): Promise<void> {
    await forget(report.key);
    hideNotice();
    // As it is stored, without what a link wanted to fill in.
    location.replace(this.start.address);
  }
}
