// dunlin behind a bad network: a proxy that spoils calls by plan, and passes all others on as they are.
//
//   const proxy = await flaky(url, ['cut', null, 'lost'])     the 1st call is cut, the 2nd passes, the 3rd is lost
//   node flaky.mjs http://127.0.0.1:9000 cut,,lost            the same for a client in another language: says its
//                                                             address, then a line of JSON for each call, and ends
//                                                             with its standard input

import { createServer, request } from 'node:http'
import { fileURLToPath } from 'node:url'

/** What may become of a call. `reached`: whether dunlin takes it all the same. */
export const FAULTS = {
  refused: { reached: false, what: 'a 503 with Retry-After' },
  cut: { reached: false, what: 'a connection that drops before the call is through' },
  lost: { reached: true, what: 'a connection that drops before the answer is through' },
  denied: { reached: true, what: 'a 503 with Retry-After for a call that was taken' },
}

const RETRY_AFTER_SECONDS = 1

/**
 * A proxy before `target`. `plan` has a fault or null for each call in the order of their arrival; later calls pass, as
 * does every preflight. `calls` tells of each: `{method, path, origin, fault, status}`, where `status` is dunlin's.
 */
export async function flaky(target, plan = [], tell = () => {}) {
  const ahead = [...plan]
  const calls = []
  const server = createServer(async (asked, answer) => {
    const body = Buffer.concat(await asked.toArray())
    const fault = asked.method === 'OPTIONS' ? null : (ahead.shift() ?? null)
    const reply = !fault || FAULTS[fault].reached ? await forward(target, asked, body) : null
    const [path] = asked.url.split('?')
    const call = { method: asked.method, path, origin: asked.headers.origin, fault, status: reply?.status }
    calls.push(call)
    tell(call)
    if (fault === 'cut' || fault === 'lost') asked.socket.destroy()
    else if (fault) deny(answer)
    else answer.writeHead(reply.status, reply.headers).end(reply.body)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}`, calls, close }
}

/** As dunlin itself says that it could not store a call. */
function deny(answer) {
  const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' }
  answer.writeHead(503, { ...headers, 'retry-after': RETRY_AFTER_SECONDS })
  answer.end('{"status":503,"message":"the call is not stored: send it again"}')
}

function forward(target, asked, body) {
  const { method, headers } = asked
  return new Promise((resolve, reject) => {
    const onward = request(new URL(asked.url, target), { method, headers, agent: false }, async (reply) => {
      resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(await reply.toArray()) })
    })
    onward.on('error', reject).end(body)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [target, plan = ''] = process.argv.slice(2)
  const faults = plan.split(',').map((fault) => fault || null)
  const proxy = await flaky(target, faults, (call) => console.log(JSON.stringify(call)))
  console.log(proxy.url)
  process.stdin.resume().on('end', () => process.exit())
}
