// On a bad network nothing is lost and nothing doubled: clients that send again by themselves, and those whose callers
// do. Everything passes a proxy that spoils calls by plan (`flaky.mjs`). Python's clients: `python/retries_test.py`.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Tracker } from '@getvero/tracking'
import { Analytics } from '@segment/analytics-node'
import {
  count,
  deliveries,
  eventually,
  issueToken,
  mails,
  profile,
  propertiesOf,
  somebody,
  url,
} from './dunlin.mjs'
import { FAULTS, flaky } from './flaky.mjs'

const faults = Object.keys(FAULTS)
const open = []
let token
let direct

before(async () => {
  token = await issueToken('retry tests')
  direct = new Tracker({ trackingApiKey: token, trackingApiBaseUrl: url })
})

after(() => open.forEach((proxy) => proxy.close()))

async function spoil(...plan) {
  const proxy = await flaky(url, plan)
  open.push(proxy)
  return proxy
}

/** The calls that were spoiled; all of them were taken, or none, as their fault says. */
function spoiled(proxy) {
  const calls = proxy.calls.filter((call) => call.fault)
  for (const { fault, status } of calls) assert.equal(status, FAULTS[fault].reached ? 200 : undefined)
  return calls.length
}

/**
 * What became of a person who signed up, once all that was taken before is through: a person's calls keep their order,
 * so a later purchase is counted after them.
 */
async function outcome({ id: userId, email }) {
  await direct.event.track({ identity: { userId, email }, eventName: 'Purchased item', data: { order: 'last' } })
  return eventually(async () => {
    const seen = await profile(userId)
    const subjects = (await mails(email)).map((mail) => mail.subject).sort()
    assert.ok(count(seen, 'Purchased item') === 1 && subjects.length >= 2, JSON.stringify([seen, subjects]))
    return { seen, subjects, deliveries: (await deliveries(userId)).length }
  })
}

/** `analytics-node` as it is: it waits a second or two before it sends again. */
const segment = (host) => new Analytics({ writeKey: token, host, flushAt: 15 })

/** A client that does not send again, as applications use it: what fails is called again. */
const insist = (call) => call().catch(call)

describe('on a bad network', { concurrency: true }, () => {
  for (const [fault, { what }] of Object.entries(FAULTS)) {
    test(`after ${what}, analytics-node itself sends again: nothing is lost or doubled`, async () => {
      const proxy = await spoil(fault)
      const analytics = segment(proxy.url)
      const person = somebody('sam')
      const { id: userId, email } = person
      const failed = []
      analytics.on('error', (error) => failed.push(error))
      analytics.identify({ userId, traits: { email, first_name: 'Sam' } })
      const integrations = { Vero: { tags: { action: 'add', values: ['web'] } } }
      analytics.track({ userId, event: 'Signed up', integrations })
      for (const name of ['Beans', 'Beans', 'Beans']) analytics.page({ userId, name })
      await analytics.closeAndFlush()
      assert.deepEqual([failed, proxy.calls.length, spoiled(proxy)], [[], 2, 1])

      const { seen, ...mailed } = await outcome(person)
      assert.deepEqual(mailed, { subjects: ['Welcome to Larkspur, Sam', 'Your order last'], deliveries: 2 })
      assert.deepEqual(['Identified', 'Signed up', 'Viewed page'].map((name) => count(seen, name)), [1, 1, 3])
      assert.deepEqual(seen.tags, ['web'])
    })

    test(`after ${what}, each call of @getvero/tracking has its effect once when it is called again`, async () => {
      const calls = 10
      const proxy = await spoil(...Array(calls).fill([fault, null]).flat())
      const tracker = new Tracker({ trackingApiKey: token, trackingApiBaseUrl: proxy.url })
      const [old, gone] = [somebody('vic'), somebody('gone')]
      const person = { ...old, id: `${old.id}-renamed` }
      const [userId, identity] = [old.id, { userId: old.id, email: old.email }]
      await insist(() => tracker.user.identify({ ...old, data: { first_name: 'Vic' } }))
      await insist(() => tracker.event.track({ identity, eventName: 'Signed up' }))
      await insist(() => tracker.event.track({ identity, eventName: 'Read page', data: { page: 1 } }))
      await insist(() => tracker.event.track({ identity, eventName: 'Read page', data: { page: 2 } }))
      await insist(() => tracker.tag.edit({ userId, add: ['web', 'staff'], remove: ['staff'] }))
      await insist(() => tracker.user.unsubscribe({ userId }))
      await insist(() => tracker.user.resubscribe({ userId }))
      await insist(() => tracker.user.alias({ userId, newId: person.id }))
      await insist(() => tracker.user.identify(gone))
      await insist(() => tracker.user.delete({ userId: gone.id }))
      assert.deepEqual([proxy.calls.length, spoiled(proxy)], [2 * calls, calls])

      const { seen, ...mailed } = await outcome(person)
      assert.deepEqual(mailed, { subjects: ['Welcome to Larkspur, Vic', 'Your order last'], deliveries: 2 })
      assert.deepEqual([count(seen, 'Signed up'), count(seen, 'Read page')], [1, 2])
      assert.deepEqual([seen.tags, seen.subscribed, seen.former_ids], [['web'], true, [old.id]])
      await eventually(async () => assert.equal(await profile(gone.id), null))
    })

    test(`after ${what}, curl --retry sends again: nothing is lost or doubled`, async () => {
      const proxy = await spoil(fault)
      const person = somebody('carl')
      const identity = JSON.stringify({ ...person, first_name: 'Carl' })
      const fields = { auth_token: token, event_name: 'Signed up', identity, data: '{"plan":"free"}' }
      const form = Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
      const retrying = ['-sSf', '--retry', '5', '--retry-all-errors']
      await promisify(execFile)('curl', [...retrying, `${proxy.url}/api/v2/events/track`, ...form])
      assert.deepEqual([proxy.calls.length, spoiled(proxy)], [2, 1])

      const { seen, ...mailed } = await outcome(person)
      assert.deepEqual(mailed, { subjects: ['Welcome to Larkspur, Carl', 'Your order last'], deliveries: 2 })
      assert.equal(count(seen, 'Signed up'), 1)
    })
  }

  test('a call that is late because it was sent again does not undo a later one', async () => {
    const proxy = await spoil('refused')
    const analytics = new Analytics({ writeKey: token, host: proxy.url, flushAt: 1 })
    const { id: userId } = somebody('late')
    const sent = []
    analytics.on('http_request', ({ body }) => sent.push(JSON.parse(body).batch[0].traits.plan))
    const refused = new Promise((heard) => analytics.once('http_response', heard))
    analytics.identify({ userId, traits: { plan: 'free', city: 'Bern' }, timestamp: new Date(Date.now() - 1000) })
    await refused
    analytics.identify({ userId, traits: { plan: 'pro' } })
    await analytics.closeAndFlush()
    assert.deepEqual([sent, spoiled(proxy)], [['free', 'pro', 'free'], 1])
    await eventually(async () => assert.equal(count(await profile(userId), 'Identified'), 2))
    assert.deepEqual(propertiesOf(await profile(userId)), { plan: 'pro', city: 'Bern' })
  })

  test('an hour of trouble under load: each of 240 calls in 16 batches counts once', async () => {
    const proxy = await spoil(...faults, ...faults, ...faults, ...faults)
    const analytics = segment(proxy.url)
    const people = Array.from({ length: 80 }, (_, number) => somebody(`load-${number}`))
    for (const { id: userId, email } of people) analytics.identify({ userId, traits: { email } })
    for (const { id: userId } of people) analytics.track({ userId, event: 'Read page' })
    for (const { id: userId } of people) analytics.track({ userId, event: 'Read page' })
    await analytics.closeAndFlush()
    assert.deepEqual([proxy.calls.length, spoiled(proxy)], [32, 16])
    for (const { id: userId, email } of people) await direct.tag.edit({ userId, add: ['after'] })
    for (const { id, email } of people) {
      const seen = await eventually(async () => {
        const found = await profile(id)
        assert.deepEqual(found?.tags, ['after'])
        return found
      })
      assert.deepEqual([seen.email, count(seen, 'Identified'), count(seen, 'Read page')], [email, 1, 2])
    }
  })
})
