import { Readable } from 'stream';

/** How a silo fails. */
export enum Failure {
  Full = 1,
  Shut,
}

/** What can be milled. */
export interface Mill<T> extends Base {
  /** How often to turn. */
  readonly turns: number;
  /** Mills it. */
  mill(grain: T): Promise<void>;
}

export type Pair<A, B> = [A, B];

declare module 'silo' {
  export function open(path: string): void;
}

namespace Grains.Rye {
  export const kind = 'rye';
  export function sow(): void {}
}

export abstract class Silo<T> implements Mill<T> {
  private grains: T[] = [];
  constructor(private readonly path: string) { super(); }
  /** Mills it. */
  @logged({ level: 1 })
  async mill(grain: T): Promise<void> {
    this.grains.push(grain);
  }
  abstract shut(): void;
}

/** A door. */
@Component({ selector: 'door' })
export class Door {}

/** Counts. */
export function count(a: string): number;
export function count(a: unknown): number { return 1; }

export const double = (n: number): number => n * 2;
export default function main() {}
declare const VERSION: string;
