/** Types for clightningjs 0.2.2, which ships none: what the host builds on or replaces. */
declare module 'clightningjs' {
  type MethodCallback = (params: unknown) => unknown;

  interface RegisteredMethod {
    name: string;
    usage: string;
    description: string;
    longDescription: string;
    main: MethodCallback;
  }

  interface RegisteredOption {
    type: string;
    default: unknown;
    description: string;
    value: unknown;
  }

  export default class Plugin {
    constructor(params?: { dynamic?: boolean });
    options: Record<string, RegisteredOption>;
    methods: RegisteredMethod[];
    notifications: Record<string, import('node:events').EventEmitter>;
    hooks: Record<string, MethodCallback>;
    dynamic: boolean;
    startup: boolean | undefined;
    _write(content: string): Promise<void>;
    _getmanifest(params: unknown): object;
    _init(params: unknown): unknown;
    _writeJsonrpcNotification(method: string, params: unknown): Promise<void>;
    _writeJsonrpcResponse(result: unknown, id: unknown, isError?: boolean): Promise<void>;
    addMethod(
      name: string,
      callback: MethodCallback,
      usage?: string,
      description?: string,
      longDescription?: string,
    ): void;
    addOption(name: string, defaultValue: unknown, description: string, type?: string): void;
    addHook(name: string, callback: MethodCallback): void;
    subscribe(name: string): void;
    onInit: (params: never) => unknown;
    log(message: string, level?: string): void;
    start(): void;
  }
}
