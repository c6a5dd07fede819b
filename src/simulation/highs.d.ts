/**
 * What `optimum` uses of HiGHS (https://highs.dev) as WebAssembly. The package's own types are those of its CommonJS
 * entry, whose default export the compiler takes for something else than what `import` gets.
 */
declare module 'highs' {
  interface Model {
    readonly options: { set(options: { readonly output_flag: boolean }): void };
    run(): void;
    getModelStatus(): number;
    getSolution(): { readonly colValue: Float64Array };
  }

  interface ModelData {
    readonly numCols: number;
    readonly numRows: number;
    readonly colCost: Float64Array;
    readonly colLower: Float64Array;
    readonly colUpper: Float64Array;
    readonly rowLower: Float64Array;
    readonly rowUpper: Float64Array;
    readonly matrix: {
      readonly format: 'csc';
      readonly numRows: number;
      readonly numCols: number;
      readonly starts: Int32Array;
      readonly indices: Int32Array;
      readonly values: Float64Array;
    };
  }

  /** A model is disposed of when `use` has returned. */
  interface Highs {
    withModel<Result>(data: ModelData, use: (model: Model) => Result): Result;
  }

  export default function loadHighs(): Promise<Highs>;
}
