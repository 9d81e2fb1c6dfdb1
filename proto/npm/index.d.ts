import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MarketQueries, MessageTypes } from "./messages.d.ts";

export * from "./messages.d.ts";

/** What may be left out of a message: all, at any depth. Whole numbers come as bigint or number. */
export type DeepPartial<T> = T extends bigint
  ? bigint | number | string
  : T extends Uint8Array | string | number | boolean
    ? T
    : T extends (infer U)[]
      ? DeepPartial<U>[]
      : { [K in keyof T]?: DeepPartial<T[K]> };

/** A message's type, as CosmJS takes it into its registry. */
export interface MessageType<T> {
  readonly typeUrl: string;
  readonly fromPartial: (partial: DeepPartial<T>) => T;
  readonly encode: (message: T | DeepPartial<T>, writer?: BinaryWriter) => BinaryWriter;
  readonly decode: (input: Uint8Array | BinaryReader, length?: number) => T;
}

export interface AminoConverter {
  readonly aminoType: string;
  readonly toAmino: (value: any) => any;
  readonly fromAmino: (written: any) => any;
}

export declare const types: MessageTypes;
// Not MessageType: CosmJS declares its writers as those of CommonJS, which TypeScript holds to be others.
export declare const registryTypes: ReadonlyArray<[string, any]>;
export declare const aminoConverters: Readonly<Record<string, AminoConverter>>;

export declare function setupMarketExtension(base: {
  queryAbci(path: string, request: Uint8Array): Promise<{ value: Uint8Array }>;
}): { market: MarketQueries };
