/** The promise's value, or `late` once the time is over, and at once where there is none left. What comes afterwards is left to whoever made the promise. */
export function within<T>(waitMs: number, promise: Promise<T>, late: T): Promise<T> {
  if (waitMs <= 0) return Promise.resolve(late);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, waitMs, late);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}
