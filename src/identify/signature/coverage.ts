import type { Component } from './component.ts';

/** Derived components that hold others whole. */
const HOLDERS: Readonly<Record<string, readonly string[]>> = {
  '@authority': ['@target-uri'],
  '@scheme': ['@target-uri'],
  '@path': ['@target-uri', '@request-target'],
  '@query': ['@target-uri', '@request-target'],
};

/** Whether a name is covered whole: a member of a dictionary, or one query parameter, is not all of it. */
export function isCovered(name: string, components: readonly Component[]): boolean {
  return components.some((one) => (one.name === name && one.member === null) || HOLDERS[name]?.includes(one.name) === true);
}

/** Whether all of the names are covered. */
export function covers(components: readonly Component[], names: readonly string[]): boolean {
  return names.every((name) => isCovered(name, components));
}
