#!/usr/bin/env node
'use strict';
import fs from 'fs';

/** The most grains a silo holds. */
export const CAPACITY = 64;
let opened = 0, closed = 1;

/**
 * Counts the grains.
 * @param {number[]} grains
 */
export function count(grains) {
  function inner() { return grains.length; }
  return inner();
}

// Doubles a number.
const double = (n) => n * 2;
export const triple = async function (n) {
  return n * 3;
};

function* turns() { yield 1; }

/** A place for grain. */
export default class Silo extends Base {
  static limit = 3;
  #door = null;
  /** Fires when it opens. */
  onOpen = () => {
    this.#door = 1;
  };

  constructor(grains) {
    super();
    this.grains = grains;
  }

  /** The first grain. */
  get first() { return this.grains[0]; }

  static async open(path) {
    const local = () => path;
    return local();
  }
}

exports.grind = function (x) { return x; };
module.exports = { count };
Silo.prototype.shut = function shut() {};

const Card = ({ title }) => <div className="card">{title}</div>;

const table = {
  mill(x) { return x; },
  sieve: (x) => x,
};

describe('silo', () => {
  it('opens', () => {});
});
