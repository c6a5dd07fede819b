/** Waiting for events instead of for time: whoever changes something says so, whoever waits looks again. */

/** Only so that a test which waits in vain fails and says for what; nothing is measured by it. */
const DEADLINE_MS = 30_000;

export class Watch {
  readonly #looks = new Set<() => void>();
  readonly #rejects = new Set<(error: Error) => void>();
  #failure: Error | undefined;

  /** The first result of `look` that is not `undefined`, looked at now and after every change. */
  until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(again);
        this.#rejects.delete(fail);
        finish();
      };
      const again = () => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
      };
      const fail = (error: Error) => {
        settle(() => reject(new Error(`while waiting for ${what}: ${error.message}`)));
      };
      const timer = setTimeout(() => fail(new Error('it did not come')), DEADLINE_MS);
      this.#looks.add(again);
      this.#rejects.add(fail);
      again();
      if (this.#looks.has(again) && this.#failure !== undefined) fail(this.#failure);
    });
  }

  /** Something has changed. */
  changed(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Nothing more will change: whoever waits, and whoever will, is told why. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const reject of [...this.#rejects]) reject(error);
  }
}
