/**
 * A plugin's answer to `getmanifest`.
 *
 * Hazard guarded against: lightningd kills a plugin whose manifest it does not understand, crashes over a method that
 * it has itself, does not start over an option that it has itself, and silently overlooks keys that it does not know.
 * Here all of it, an unknown key included, is refused with the place and the reason.
 */
import * as v from 'valibot';
import { Misconduct } from './misconduct.ts';

/** Methods and options are named like this; lightningd is strict about options only. */
const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9_-]*$/, 'must be lowercase alphanumeric, plus _ or -'),
);

/** The hooks of v26.06. */
const hookName = v.picklist([
  'commitment_revocation',
  'custommsg',
  'db_write',
  'htlc_accepted',
  'invoice_payment',
  'onion_message_recv',
  'onion_message_recv_secret',
  'openchannel',
  'openchannel2',
  'openchannel2_changed',
  'openchannel2_sign',
  'peer_connected',
  'rbf_channel',
  'recover',
  'rpc_command',
]);

const OPTION_TYPES = ['string', 'string-conceal', 'int', 'bool', 'flag'] as const;
export type OptionType = (typeof OPTION_TYPES)[number];

const option = v.pipe(
  v.strictObject({
    name,
    type: v.picklist(OPTION_TYPES),
    description: v.string(),
    default: v.optional(v.union([v.string(), v.pipe(v.number(), v.safeInteger()), v.boolean()])),
    dynamic: v.optional(v.boolean()),
    multi: v.optional(v.boolean()),
    deprecated: v.optional(v.boolean()),
  }),
  v.check(
    ({ type, default: value }) => value === undefined || fits(type, value),
    'default is not of the type',
  ),
  v.check(
    ({ type, default: value }) => type !== 'flag' || value !== true,
    'the default of a flag must be false',
  ),
  v.check(({ type, multi }) => type !== 'flag' || multi !== true, 'a flag cannot be multi'),
);

const manifest = v.strictObject({
  options: v.array(option),
  rpcmethods: v.array(
    v.strictObject({
      name,
      usage: v.string(),
      description: v.optional(v.string()),
      long_description: v.optional(v.string()),
      category: v.optional(v.string()),
      deprecated: v.optional(v.boolean()),
    }),
  ),
  subscriptions: v.optional(v.array(v.string()), []),
  hooks: v.optional(
    v.array(
      v.union([
        v.pipe(
          hookName,
          v.transform(hook => ({ name: hook, filters: undefined })),
        ),
        v.strictObject({
          name: hookName,
          before: v.optional(v.array(v.string())),
          after: v.optional(v.array(v.string())),
          filters: v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)))),
        }),
      ]),
    ),
    [],
  ),
  notifications: v.optional(v.array(v.strictObject({ method: v.string() })), []),
  custommessages: v.optional(v.array(v.pipe(v.number(), v.integer()))),
  featurebits: v.optional(v.record(v.string(), v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/)))),
  dynamic: v.optional(v.boolean(), false),
  nonnumericids: v.literal(true, 'must be true: request ids are strings'),
  cancheck: v.optional(v.boolean(), false),
  disable: v.optional(v.string()),
});

export type Manifest = v.InferOutput<typeof manifest>;
export type ManifestOption = Manifest['options'][number];

/** Whether a value is one of an option's type. */
export function fits(type: OptionType, value: unknown): boolean {
  switch (type) {
    case 'int':
      return typeof value === 'number';
    case 'bool':
    case 'flag':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string';
  }
}

/**
 * Reads a manifest.
 *
 * @param taken the names of the node's own commands
 * @throws Misconduct with the place and what is wrong there
 */
export function readManifest(answer: unknown, taken: ReadonlySet<string>): Manifest {
  const result = v.safeParse(manifest, answer, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw new Misconduct(`gave a bad manifest: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
  }
  const { rpcmethods, options, featurebits, dynamic } = result.output;
  const clash = rpcmethods.find(method => taken.has(method.name));
  if (clash !== undefined) throw new Misconduct(`gave a bad manifest: lightningd has a method ${clash.name}`);
  for (const names of [rpcmethods, options].map(list => list.map(entry => entry.name))) {
    const twice = names.find((entry, index) => names.indexOf(entry) !== index);
    if (twice !== undefined) throw new Misconduct(`gave a bad manifest: ${twice} stands there twice`);
  }
  if (dynamic && featurebits !== undefined)
    throw new Misconduct('gave a bad manifest: featurebits: refused to dynamic plugins');
  return result.output;
}
