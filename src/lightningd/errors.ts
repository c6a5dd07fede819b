/**
 * The errors that a caller of our commands can see: JSON-RPC's and Core Lightning's own numbers where they fit, ours
 * from 3470 up (message type 347, then a digit).
 */
export const ErrorCode = {
  /** JSON-RPC: the method does not exist. */
  methodNotFound: -32601,
  /** JSON-RPC: a parameter is wrong; the message names it, what came and what was expected. */
  invalidParams: -32602,
  /** JSON-RPC: our own fault. */
  internal: -32603,
  /** lightningd's RPC is gone: no connection, or it closed before the answer. */
  nodeUnreachable: 3470,
  /** lightningd's RPC did not answer in time. */
  nodeTimeout: 3471,
  /** lightningd refused a call of ours; its error is in `data`. */
  nodeRefused: 3472,
  /** lightningd answered in a shape that we do not understand. */
  nodeAnswer: 3473,
  /** `foafgraph` could not write its file: the folder or the file is not what it should be, or full. */
  pictureNotWritten: 3474,
} as const;

/** An error that reaches the caller as it is. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** A call of ours that lightningd answered with an error. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly method: string;
  readonly code: number;
  readonly data: unknown;

  constructor(method: string, code: number, message: string, data?: unknown) {
    super(message);
    this.method = method;
    this.code = code;
    this.data = data;
  }
}

/** A call of ours that was not answered in time: whether it was carried out is unknown. */
export class RpcTimeoutError extends Error {
  override readonly name = 'RpcTimeoutError';
}

/** No connection to lightningd, or it closed before the answer: whether the call was carried out is unknown. */
export class RpcConnectionError extends Error {
  override readonly name = 'RpcConnectionError';
}

/** An answer of lightningd in a shape that we do not understand. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** What a caller of our command is told when a call of ours to lightningd failed; other errors stay as they are. */
export function asCommandError(error: unknown): unknown {
  if (error instanceof RpcError) {
    const { method, code, message, data } = error;
    return new CommandError(ErrorCode.nodeRefused, `lightningd refused ${method}: ${message}`, {
      method,
      code,
      message,
      ...(data === undefined ? {} : { data }),
    });
  }
  if (error instanceof RpcTimeoutError) return new CommandError(ErrorCode.nodeTimeout, error.message);
  if (error instanceof RpcConnectionError) return new CommandError(ErrorCode.nodeUnreachable, error.message);
  if (error instanceof UnexpectedAnswerError) return new CommandError(ErrorCode.nodeAnswer, error.message);
  return error;
}
