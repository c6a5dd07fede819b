/**
 * The chains of lightningd's `network` and their hashes as BOLT messages carry them: the genesis block's hash in wire
 * order, which is the reverse of how block explorers print it (BOLT 0, "chain_hash").
 */
const CHAIN_HASHES: Readonly<Record<string, string>> = {
  bitcoin: '6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000',
  testnet: '43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000',
  testnet4: '43f08bdab050e35b567c864b91f47f50ae725ae2de53bcfbbaf284da00000000',
  signet: 'f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000',
  regtest: '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f',
};

/** The chain hash (64 hex digits, wire order) of a lightningd `network`; `undefined` for a network we do not know. */
export function chainHashOf(network: string): string | undefined {
  return Object.hasOwn(CHAIN_HASHES, network) ? CHAIN_HASHES[network] : undefined;
}
