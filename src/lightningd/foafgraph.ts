/**
 * The command `foafgraph`: writes the picture of our node and its friends and answers where it is.
 *
 * Hazard: any holder of a rune may call it, as often as he likes. One picture is drawn at a time, who calls meanwhile
 * gets the same one, and hooks are answered in between.
 */
import { setImmediate } from 'node:timers/promises';
import { factsBudget, pageOf } from '../picture/html.ts';
import { pack } from '../picture/pack.ts';
import { pageParts } from '../picture/page-script.ts';
import type { PictureFacts } from '../picture/picture.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { asCommandError, CommandError, ErrorCode } from './errors.ts';
import { bindParameters, invalidParameter, shown } from './parameters.ts';
import { gatherFacts, type PictureSources } from './picture-facts.ts';
import { fileNameOf, PictureFolderError, writePicture } from './picture-folder.ts';
import schema from './schemas/foafgraph.json' with { type: 'json' };

export const FOAFGRAPH: CommandSchema = schema;
const NAME = FOAFGRAPH.rpc;
const DEFAULT_NAME = 'foaf.html';

interface Drawn {
  readonly facts: PictureFacts;
  /** In pieces. */
  readonly html: readonly string[];
  readonly bytes: number;
  /** The files under way or written, by name. */
  readonly files: Map<string, Promise<string>>;
}

/** @throws CommandError -32602 when `name` cannot be a file's name */
export function parseFoafgraph(params: unknown): { readonly name: string } {
  const { name = DEFAULT_NAME } = bindParameters(NAME, parameterNames(FOAFGRAPH), params);
  const fileName = fileNameOf(name);
  if (fileName !== undefined) return { name: fileName };
  throw invalidParameter(
    NAME,
    'name',
    `must be a bare file name of up to 64 letters, digits, dots, underscores and dashes that begins with neither dot nor dash, got ${shown(name)}`,
  );
}

export class Painter {
  readonly #sources: PictureSources;
  readonly #root: string;
  readonly #folder: string;
  #drawing: Promise<Drawn> | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  /**
   * @param root the folder of the plugin's own file
   * @param folder where pictures go
   */
  constructor(sources: PictureSources, root: string, folder: string) {
    this.#sources = sources;
    this.#root = root;
    this.#folder = folder;
  }

  /** Rejects when lightningd cannot be asked or the file cannot be written. */
  async paint(name: string): Promise<object> {
    this.#drawing ??= this.#draw().finally(() => {
      this.#drawing = undefined;
    });
    const drawn = await this.#drawing;
    const { facts, bytes } = drawn;
    return {
      path: await this.#write(name, drawn),
      size: bytes,
      friends: new Set(facts.channels.map(({ peerId }) => peerId)).size,
      offers: facts.offers.length,
      circles: facts.circles.length,
    };
  }

  async #draw(): Promise<Drawn> {
    // What was drawn before is on the disk and out of memory first, however slow the disk is.
    await this.#writing;
    const pause = () => setImmediate();
    const [parts, facts] = await Promise.all([pageParts(this.#root), gatherFacts(this.#sources, pause)]);
    const breaks = { nowMs: this.#sources.clock.monotonicMs, pause };
    const { pieces } = await pack(facts, factsBudget(parts), breaks);
    const html = pageOf(parts, pieces);
    const bytes = html.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
    return { facts, html, bytes, files: new Map() };
  }

  /** One file after the other, and each once, however many wait for it. */
  #write(name: string, { html, files }: Drawn): Promise<string> {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = this.#writing.then(() => writePicture(this.#folder, name, html));
    files.set(name, file);
    this.#writing = file.catch(() => undefined);
    return file;
  }
}

/** @throws CommandError -32602 for a bad name, `pictureNotWritten` with the reason, else when lightningd cannot be asked */
export async function foafgraph(painter: Painter, params: unknown): Promise<object> {
  const { name } = parseFoafgraph(params);
  try {
    return await painter.paint(name);
  } catch (error) {
    if (error instanceof PictureFolderError) {
      throw new CommandError(ErrorCode.pictureNotWritten, `the picture was not written: ${error.message}`);
    }
    throw asCommandError(error);
  }
}
