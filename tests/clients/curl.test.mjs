// Plain HTTP, as curl and every program without a client of its own speaks it: forms, gzip, labels, credentials,
// methods; the Segment API one item at a time.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { before, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { activity, count, eventually, issueToken, mails, profile, propertiesOf, somebody, url } from './dunlin.mjs'

let token

before(async () => {
  token = await issueToken('curl tests')
})

/** Runs curl: the status and the text of the answer. `input` is its standard input. */
async function curl(args, input) {
  const child = spawn('curl', ['-sS', '--max-time', '10', '-w', '\n%{http_code}', ...args])
  child.stdin.end(input)
  const ended = new Promise((end) => child.on('close', end))
  const [said, wrong, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  assert.equal(code, 0, wrong)
  const cut = said.lastIndexOf('\n')
  return { status: Number(said.slice(cut + 1)), body: said.slice(0, cut) }
}

/** curl, to which dunlin says yes as the API that is asked does. */
async function taken(path, args, input) {
  const { status, body } = await curl([url + path, ...args], input)
  assert.equal(status, 200, body)
  const success = path.startsWith('/v1/') ? { success: true } : { status: 200, message: 'Success.' }
  assert.deepEqual(JSON.parse(body), success)
}

/** A call of the Track API as a form: `--data-urlencode` for each field, nested ones as JSON text. */
function form(method, path, fields) {
  const pairs = Object.entries({ auth_token: token, ...fields })
  const texts = pairs.map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
  return taken(`/api/v2${path}`, ['-X', method, ...texts.flatMap((field) => ['--data-urlencode', field])])
}

const json = (body) => JSON.stringify({ auth_token: token, ...body })
const JSON_TYPE = ['-H', 'content-type: application/json']

test('a form identifies, edits and tags; its nested fields are JSON text', async () => {
  const { id, email } = somebody('flora')
  const channels = [{ type: 'push', address: 'device-1', platform: 'ios' }]
  await form('POST', '/users/track', { id, email, data: { first_name: 'Flöra & Co', age: 30, old: 1 }, channels })
  await form('PUT', '/users/edit', { id, changes: { plan: 'pro', old: null } })
  await form('PUT', '/users/tags/edit', { id, add: ['beta', 'staff'], remove: [] })
  await form('PUT', '/users/tags/edit', { id, remove: ['staff'] })
  await eventually(async () => {
    const seen = await profile(id)
    assert.deepEqual([seen?.email, seen?.tags, seen?.channels], [email, ['beta'], channels])
    assert.deepEqual(propertiesOf(seen), { first_name: 'Flöra & Co', age: 30, plan: 'pro' })
  })
})

test('a form may repeat add[] and remove[], or name one tag alone', async () => {
  const { id } = somebody('tessa')
  await form('POST', '/users/track', { id })
  const tags = '/api/v2/users/tags/edit'
  const named = ['-X', 'PUT', '-d', `auth_token=${token}`, '-d', `id=${id}`]
  await taken(tags, [...named, '-d', 'add[]=beta', '-d', 'add[]=staff', '-d', 'add[]=vip'])
  await taken(tags, [...named, '-d', 'remove[]=staff'])
  await taken(tags, [...named, '-d', 'add=one tag, alone'])
  await eventually(async () =>
    assert.deepEqual((await profile(id))?.tags.toSorted(), ['beta', 'one tag, alone', 'vip']),
  )
})

test('a form records an event, and its mail goes out', async () => {
  const { id, email } = somebody('wanda')
  const identity = { id, email, first_name: 'Wanda' }
  await form('POST', '/events/track', { identity, event_name: 'Signed up', data: { plan: 'a+b=c & d' } })
  await eventually(async () => {
    assert.equal((await mails(email))[0]?.subject, 'Welcome to Larkspur, Wanda')
    assert.deepEqual((await activity(id)).map((one) => [one.what, one.data]), [['Signed up', { plan: 'a+b=c & d' }]])
  })
})

test('a form unsubscribes, resubscribes, renames and deletes, by every method of the path', async () => {
  const people = ['left', 'right', 'gone', 'erased'].map(somebody)
  for (const { id, email } of people) await form('POST', '/users/track', { id, email })
  const [left, right, gone, erased] = people
  await form('POST', '/users/unsubscribe', { id: left.id })
  await form('POST', '/users/unsubscribe', { id: right.id })
  await form('POST', '/users/resubscribe', { id: right.id })
  await form('PUT', '/users/reidentify', { id: left.id, new_id: `${left.id}-2` })
  await form('POST', '/users/reidentify', { id: right.id, new_id: `${right.id}-2` })
  await form('POST', '/users/delete', { id: gone.id })
  await form('DELETE', '/users/delete', { id: erased.id })
  await eventually(async () => {
    const seen = await Promise.all(people.map(({ id }) => profile(id)))
    const states = seen.map((one) => one && [one.id, one.subscribed])
    assert.deepEqual(states, [[`${left.id}-2`, false], [`${right.id}-2`, true], null, null])
  })
})

test('a path with .json, and JSON whose nested fields are texts, mean the same', async () => {
  const { id, email } = somebody('jason')
  const body = { id, email, data: JSON.stringify({ plan: 'pro' }) }
  await taken('/api/v2/users/track.json', [...JSON_TYPE, '-d', json(body)])
  const event = { identity: JSON.stringify({ id }), event_name: 'Read page', data: '{"page": 1}' }
  await taken('/api/v2/events/track.json', [...JSON_TYPE, '-d', json(event)])
  await eventually(async () => {
    const seen = await profile(id)
    assert.deepEqual([propertiesOf(seen), count(seen, 'Read page')], [{ plan: 'pro' }, 1])
  })
})

test('what counts is what a body is, not how it is labelled', async () => {
  const { id } = somebody('mary')
  const event = (page) => ({ identity: { id }, event_name: 'Read page', data: { page } })
  const asForm = (page) => {
    const [identity, data] = [JSON.stringify({ id }), JSON.stringify({ page })]
    return `${new URLSearchParams({ auth_token: token, identity, event_name: 'Read page', data })}`
  }
  const send = (input, ...args) => taken('/api/v2/events/track', [...args, '--data-binary', '@-'], input)
  const type = (label) => ['-H', `content-type: ${label}`]
  const packed = ['-H', 'content-encoding: gzip']
  await send(json(event(1)), ...type('application/x-www-form-urlencoded'))
  await send(json(event(2)), ...type('text/plain'))
  await send(asForm(3), ...type('text/plain'))
  await send(gzipSync(json(event(4))), ...JSON_TYPE, ...packed)
  await send(gzipSync(json(event(5))), ...JSON_TYPE)
  await send(gzipSync(asForm(6)), ...packed)
  await send(json(event(7)), ...JSON_TYPE, ...packed)
  await send(json(event(8)), ...JSON_TYPE, '-H', 'transfer-encoding: chunked')
  await eventually(async () => assert.equal(count(await profile(id), 'Read page'), 8))
  await eventually(async () => {
    const pages = (await activity(id)).map((one) => one.data.page)
    assert.deepEqual(pages.toSorted(), [1, 2, 3, 4, 5, 6, 7, 8])
  })
})

test('the credential may be in the query or the body, under both its names, or a pair in base64', async () => {
  const { id } = somebody('cred')
  const [key, secret] = [token.slice(0, token.lastIndexOf('.')), token.slice(token.lastIndexOf('.') + 1)]
  const pair = Buffer.from(`${key}:${secret}`).toString('base64')
  let page = 0
  const event = (credential) =>
    JSON.stringify({ identity: { id }, event_name: 'Read page', data: { page: page++ }, ...credential })
  for (const name of ['auth_token', 'tracking_api_key']) {
    for (const value of [token, pair]) {
      await taken('/api/v2/events/track', [...JSON_TYPE, '-d', event({ [name]: value })])
      await taken(`/api/v2/events/track?${name}=${encodeURIComponent(value)}`, [...JSON_TYPE, '-d', event()])
      await taken(`/api/v2/events/track?${name}=${value}`, [...JSON_TYPE, '-d', event()])
    }
  }
  await eventually(async () => assert.equal(count(await profile(id), 'Read page'), 12))
})

test('a number is an id by its digits, and without an id the address is it', async () => {
  const number = Math.floor(Math.random() * 1e15)
  await taken('/api/v2/users/track', [...JSON_TYPE, '-d', json({ id: number, data: { plan: 'pro' } })])
  const { email } = somebody('adele')
  await form('POST', '/users/track', { email, data: { plan: 'free' } })
  await form('POST', '/users/unsubscribe', { email })
  await eventually(async () => {
    const [counted, mailed] = [await profile(`${number}`), await profile(email)]
    assert.deepEqual([counted?.id, counted?.properties.plan], [`${number}`, 'pro'])
    assert.deepEqual([mailed?.id, mailed?.email, mailed?.subscribed], [email, email, false])
  })
})

test('the tag `unsubscribed` unsubscribes', async () => {
  const { id, email } = somebody('tam')
  await form('POST', '/users/track', { id, email })
  await form('PUT', '/users/tags/edit', { id, add: ['unsubscribed'] })
  await eventually(async () => assert.equal((await profile(id))?.subscribed, false))
})

test('an event happens at its own time, and never after it was accepted', async () => {
  const { id } = somebody('tim')
  const times = {
    'By seconds': 1767605400,
    'By text': '2026-01-05T10:30:00.250+01:00',
    'Not yet': '2199-01-01T00:00:00Z',
  }
  const begun = Date.now()
  for (const [event_name, created_at] of Object.entries(times)) {
    await form('POST', '/events/track', { identity: { id }, event_name, extras: { created_at, source: 'till' } })
  }
  const seen = await eventually(async () => {
    const found = (await profile(id))?.events ?? []
    assert.equal(found.length, 3)
    return Object.fromEntries(found.map((event) => [event.name, Date.parse(event.first_at)]))
  })
  assert.equal(new Date(seen['By seconds']).toISOString(), '2026-01-05T09:30:00.000Z')
  assert.equal(new Date(seen['By text']).toISOString(), '2026-01-05T09:30:00.250Z')
  assert.ok(seen['Not yet'] >= begun && seen['Not yet'] <= Date.now())
})

test('an event without data is the same again when its check_id is', async () => {
  const { id } = somebody('chris')
  const event = (event_name, extras) => form('POST', '/events/track', { identity: { id }, event_name, extras })
  for (const check_id of ['a', 'a', 'b']) await event('Paid', { check_id })
  for (const extras of [{}, {}]) await event('Came', extras)
  await form('PUT', '/users/tags/edit', { id, add: ['after'] })
  await eventually(async () => assert.deepEqual((await profile(id))?.tags, ['after']))
  const seen = await profile(id)
  assert.deepEqual([count(seen, 'Paid'), count(seen, 'Came')], [2, 1])
})

test('update_only, an edit, and a tag make nobody', async () => {
  const people = ['nobody', 'noone', 'none'].map(somebody)
  const last = somebody('last')
  await form('POST', '/users/track', { ...people[0], extras: { update_only: 'true' } })
  await form('PUT', '/users/edit', { id: people[1].id, changes: { plan: 'pro' } })
  await form('PUT', '/users/tags/edit', { id: people[2].id, add: ['vip'] })
  for (const { id } of [...people, last]) await form('POST', '/users/track', { id, data: { seen: true } })
  await eventually(async () => assert.ok(await profile(last.id)))
  for (const { id } of people) {
    await eventually(async () => {
      const seen = await profile(id)
      assert.deepEqual([propertiesOf(seen), seen.email ?? null, seen.tags], [{ seen: true }, null, []])
    })
  }
})

test('the heartbeat answers without a credential', async () => {
  await taken('/api/v2/heartbeat', [])
  await taken('/api/v2/heartbeat.json', [])
  assert.deepEqual(await curl(['-I', '-o', '/dev/null', `${url}/api/v2/heartbeat`]), { status: 200, body: '' })
})

test('the Segment API takes its kinds one by one, under their long and their short names', async () => {
  const call = (path, body) => taken(`/v1/${path}`, ['-u', `${token}:`, ...JSON_TYPE, '-d', JSON.stringify(body)])
  for (const names of ['identify track page screen group alias', 'i t p s g a']) {
    const [identify, track, page, screen, group, alias] = names.split(' ')
    const { id, email } = somebody(identify)
    const userId = `${id}-2`
    await call(identify, { userId: id, traits: { email, plan: 'pro' } })
    await call(track, { userId: id, event: 'Paid', properties: { sku: 'A-1' } })
    await call(page, { userId: id, name: 'Beans' })
    await call(screen, { userId: id, name: 'Basket' })
    await call(group, { userId: id, groupId: 'acme', traits: { name: 'ACME' } })
    await call(alias, { previousId: id, userId })
    await eventually(async () => {
      const seen = await profile(userId)
      assert.deepEqual(propertiesOf(seen), { plan: 'pro', group: { name: 'ACME' } })
      const counts = ['Identified', 'Paid', 'Viewed page', 'Viewed screen'].map((name) => count(seen, name))
      assert.deepEqual([seen.email, seen.former_ids, counts], [email, [id], [1, 1, 1, 1]])
    })
  }
})

test('the write key may be the user of Basic, a Bearer token, or in the body; a batch may be gzip', async () => {
  const { id: userId } = somebody('key')
  const batch = (sku, key) =>
    JSON.stringify({ batch: [{ type: 'track', userId, event: 'Paid', properties: { sku } }], ...key })
  const send = (input, ...args) => taken('/v1/batch', [...args, '--data-binary', '@-'], input)
  await send(batch(1), '-u', `${token}:`)
  await send(batch(2), '-H', `authorization: Bearer ${token}`)
  await send(batch(3, { writeKey: token }))
  await send(gzipSync(batch(4)), '-u', `${token}:`, '-H', 'content-encoding: gzip')
  await send(gzipSync(batch(5, { writeKey: token })))
  await eventually(async () => assert.equal(count(await profile(userId), 'Paid'), 5))
})

test("a Segment item's time is corrected by when it was sent, so a wrong clock does not matter", async () => {
  const { id: userId } = somebody('clock')
  const item = { type: 'track', userId, event: 'Paid', originalTimestamp: '2001-01-01T00:00:00Z' }
  const begun = Date.now()
  const body = { sentAt: '2001-01-01T01:00:00Z', batch: [item] }
  await taken('/v1/batch', ['-u', `${token}:`, ...JSON_TYPE, '-d', JSON.stringify(body)])
  const [paid] = await eventually(async () => {
    const found = (await profile(userId))?.events ?? []
    assert.equal(found.length, 1)
    return found
  })
  const at = Date.parse(paid.first_at) + 60 * 60 * 1000
  assert.ok(at >= begun && at <= Date.now(), paid.first_at)
})
