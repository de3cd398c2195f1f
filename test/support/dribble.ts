import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends pieces with a pause behind each, and gives all that comes back until the connection is closed. */
export function dribble(port: number, pieces: readonly string[], pauseMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    void (async () => {
      for (const piece of pieces) {
        if (!socket.writable) return;
        socket.write(piece);
        await sleep(pauseMs);
      }
    })();
  });
}
