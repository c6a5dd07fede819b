import type { PageParts } from './html.ts';

export function buildPage(root: string): Promise<PageParts>;
