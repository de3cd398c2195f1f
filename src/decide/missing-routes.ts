/** What is missing where the file of pushed data could not be read: nobody knows what was in it. */
export const LOST = 'pushed data';

const ROUTES = 'countersign.routes';

/** Whether what is missing, a path of `policy.requiredData` or what was pushed, may hold routes. */
export function mayHoldRoutes(missing: string): boolean {
  return missing === LOST || isWithin(missing, ROUTES) || isWithin(ROUTES, missing);
}

function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}.`);
}
