const atExit = new Set<() => void>();

/** What is buffered when the process ends by `process.exit`, as far as the descriptor takes it at once. Gives the way to take it back. */
export function flushAtExit(flush: () => void): () => void {
  if (atExit.size === 0) process.on('exit', flushAll);
  atExit.add(flush);
  return () => {
    atExit.delete(flush);
    if (atExit.size === 0) process.off('exit', flushAll);
  };
}

function flushAll(): void {
  for (const flush of atExit) {
    try {
      flush();
    } catch {
      // the process ends: there is nobody left to tell, and nothing more to try
    }
  }
}
