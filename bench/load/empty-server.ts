import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';

/** What the load generator is measured against: servers that read the request and answer the same few bytes. Prints both ports as JSON. */

const ALLOW = Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x00]); // CheckResponse{status{}}

const grpc = createHttp2();
grpc.on('session', (session) => session.setLocalWindowSize(1 << 24));
grpc.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.resume();
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(ALLOW);
  });
});
const http = createHttp((request, response) => {
  request.resume();
  request.on('end', () =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 20 }).end('{"decision":"allow"} '),
  );
});
grpc.listen(0, '127.0.0.1', () =>
  http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ grpc: grpc.address(), http: http.address() }))),
);
