// `@getvero/tracking` in Node.js: every call, and the state and the mails that come of it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import commonJs, { Tracker } from '@getvero/tracking'
import module, * as modules from '@getvero/tracking/dist/index.mjs'
import {
  activity,
  count,
  deliveries,
  eventually,
  issueToken,
  mail,
  mails,
  profile,
  propertiesOf,
  somebody,
  url,
} from './dunlin.mjs'

let token
let tracker

before(async () => {
  token = await issueToken('server tests')
  tracker = new Tracker({ trackingApiKey: token, trackingApiBaseUrl: url })
})

/** Identifies somebody new. */
async function known(name, data = {}) {
  const person = somebody(name)
  await tracker.user.identify({ ...person, data })
  return person
}

const identityOf = ({ id, email }) => ({ userId: id, email })

test('user.identify creates a profile with its properties and channels', async () => {
  const person = somebody('ann')
  const channels = [{ type: 'push', address: 'device-1', platform: 'android' }]
  await tracker.user.identify({ ...person, channels, data: { first_name: 'Ann', age: 30 } })
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.equal(seen?.email, person.email)
    assert.deepEqual(propertiesOf(seen), { first_name: 'Ann', age: 30 })
    assert.deepEqual(seen.channels, channels)
    assert.equal(seen.subscribed, true)
    assert.equal(count(seen, 'Identified'), 1)
  })
})

test('user.identify again merges properties, and the later value wins', async () => {
  const person = await known('bob', { first_name: 'Bob', plan: 'free' })
  await tracker.user.identify({ ...person, data: { plan: 'pro', city: 'Zürich 🏔' } })
  await eventually(async () =>
    assert.deepEqual(propertiesOf(await profile(person.id)), { first_name: 'Bob', plan: 'pro', city: 'Zürich 🏔' }),
  )
})

test('an id with a slash, a space and an accent is one person like any other', async () => {
  const { email } = somebody('odd')
  await tracker.user.identify({ id: `né e/${email}`, email })
  await eventually(async () => assert.equal((await profile(`né e/${email}`))?.email, email))
})

test('tag.edit adds and removes tags; either may be missing', async () => {
  const { id: userId } = await known('tess')
  await tracker.tag.edit({ userId, add: ['beta', 'staff', 'old'] })
  await tracker.tag.edit({ userId, remove: ['old', 'never there'] })
  await tracker.tag.edit({ userId, add: ['vip'], remove: ['staff'] })
  await tracker.tag.edit({ userId })
  await eventually(async () => assert.deepEqual((await profile(userId))?.tags.toSorted(), ['beta', 'vip']))
})

test('user.unsubscribe and user.resubscribe change the subscription', async () => {
  const { id: userId } = await known('uma')
  await tracker.user.unsubscribe({ userId })
  await eventually(async () => assert.equal((await profile(userId))?.subscribed, false))
  await tracker.user.resubscribe({ userId })
  await eventually(async () => assert.equal((await profile(userId))?.subscribed, true))
})

test('user.alias renames; the former id still finds the person', async () => {
  const person = await known('old', { plan: 'pro' })
  const newId = `${person.id}-renamed`
  await tracker.user.alias({ userId: person.id, newId })
  await eventually(async () => {
    const seen = await profile(newId)
    assert.equal(seen?.id, newId)
    assert.equal(seen.email, person.email)
    assert.deepEqual(seen.former_ids, [person.id])
    assert.equal(seen.properties.plan, 'pro')
    assert.equal((await profile(person.id))?.id, newId)
  })
})

test('user.alias to somebody who exists merges the two', async () => {
  const [left, right] = [await known('left', { plan: 'pro' }), await known('right', { city: 'Bern' })]
  await tracker.tag.edit({ userId: left.id, add: ['beta'] })
  await tracker.event.track({ identity: identityOf(left), eventName: 'Read page' })
  await tracker.event.track({ identity: identityOf(right), eventName: 'Read page', data: { page: 2 } })
  await tracker.user.alias({ userId: left.id, newId: right.id })
  await eventually(async () => {
    const seen = await profile(right.id)
    assert.deepEqual(propertiesOf(seen), { plan: 'pro', city: 'Bern' })
    assert.deepEqual(seen.tags, ['beta'])
    assert.equal(count(seen, 'Read page'), 2)
  })
})

test('user.delete erases the person, who may come again as a stranger', async () => {
  const person = await known('gone', { secret: 'yes' })
  await tracker.event.track({ identity: identityOf(person), eventName: 'Read page' })
  await eventually(async () => assert.equal(count(await profile(person.id), 'Read page'), 1))
  await tracker.user.delete({ userId: person.id })
  await eventually(async () => assert.equal(await profile(person.id), null))
  await tracker.user.identify(person)
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.ok(seen)
    assert.deepEqual(propertiesOf(seen), {})
    assert.equal(count(seen, 'Read page'), 0)
  })
})

test('event.track creates the person, and counts names without case, spaces and underscores', async () => {
  const person = somebody('eve')
  const identity = identityOf(person)
  await tracker.event.track({ identity, eventName: 'Viewed product', data: { sku: 'A-1' } })
  await tracker.event.track({ identity, eventName: 'viewed_product', data: { sku: 'A-2' } })
  await tracker.event.track({ identity, eventName: 'VIEWED PRODUCT', data: { sku: 'A-3' } })
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.equal(seen?.email, person.email)
    assert.equal(count(seen, 'Viewed product'), 3)
  })
  await eventually(async () => {
    const skus = (await activity(person.id)).map((one) => one.data.sku)
    assert.deepEqual(skus.toSorted(), ['A-1', 'A-2', 'A-3'])
  })
})

test('event.track twice with the same data within five minutes is one event', async () => {
  const person = somebody('twice')
  const identity = identityOf(person)
  for (const page of [1, 1, 2, 1]) await tracker.event.track({ identity, eventName: 'Read page', data: { page } })
  await tracker.tag.edit({ userId: person.id, add: ['after'] })
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.deepEqual(seen?.tags, ['after'])
    assert.equal(count(seen, 'Read page'), 2)
  })
})

test('event.track counts an event at its own time, and accepts a source and a conversion', async () => {
  const person = somebody('then')
  const extras = { source: 'Segment.com', createdAt: '2026-01-05T09:30:00+01:00', veroConv: 'conv-1' }
  await tracker.event.track({ identity: identityOf(person), eventName: 'Read page', extras })
  await eventually(async () => {
    const seen = (await profile(person.id))?.events.find((event) => event.name === 'Read page')
    assert.equal(new Date(seen?.first_at).toISOString(), '2026-01-05T08:30:00.000Z')
  })
})

test('the welcome mail is personal, and a sent delivery says so', async () => {
  const person = await known('wim', { first_name: 'Wim' })
  await tracker.event.track({ identity: identityOf(person), eventName: 'Signed up', data: { plan: 'free' } })
  const [welcome] = await eventually(async () => {
    const arrived = await mails(person.email)
    assert.equal(arrived.length, 1)
    return arrived
  })
  assert.equal(welcome.subject, 'Welcome to Larkspur, Wim')
  const { text, html } = await mail(welcome.id)
  assert.match(text, /Unsubscribe: http/)
  assert.match(html, /Wim/)
  await eventually(async () => {
    const [delivery] = await deliveries(person.id)
    assert.deepEqual([delivery.step, delivery.state], ['welcome-1', 'sent'])
  })
})

test('who unsubscribed gets no welcome mail, and still the receipt', async () => {
  const person = await known('uli', { first_name: 'Uli' })
  const identity = identityOf(person)
  await tracker.user.unsubscribe({ userId: person.id })
  await tracker.event.track({ identity, eventName: 'Signed up', data: { plan: 'free' } })
  await tracker.event.track({ identity, eventName: 'Purchased item', data: { order: 'L-1001', total: 24.5 } })
  await eventually(async () => assert.equal((await mails(person.email))[0]?.subject, 'Your order L-1001'))
  await eventually(async () => {
    const states = (await deliveries(person.id)).map(({ step, state, reason }) => [state, reason?.code ?? '', step])
    assert.equal(states.length, 2)
    assert.ok(states.some(([state, code, step]) => state === 'not_sent' && code === 'unsubscribed' && step === 'welcome-1'))
    assert.ok(states.some(([state]) => state === 'sent'))
  })
  assert.equal((await mails(person.email)).length, 1)
})

test('who resubscribed gets the welcome mail', async () => {
  const person = await known('rea', { first_name: 'Rea' })
  await tracker.user.unsubscribe({ userId: person.id })
  await tracker.user.resubscribe({ userId: person.id })
  await tracker.event.track({ identity: identityOf(person), eventName: 'Signed up' })
  await eventually(async () => assert.equal((await mails(person.email))[0]?.subject, 'Welcome to Larkspur, Rea'))
})

test('the receipt shows what the event carried', async () => {
  const person = await known('rob')
  const data = { order: 'L-7 & <b>', total: 9, currency: 'CHF' }
  await tracker.event.track({ identity: identityOf(person), eventName: 'purchased_item', data })
  const [receipt] = await eventually(async () => {
    const arrived = await mails(person.email)
    assert.equal(arrived.length, 1)
    return arrived
  })
  assert.equal(receipt.subject, 'Your order L-7 & <b>')
  const { text, html } = await mail(receipt.id)
  assert.match(text, /Your order L-7 & <b> is with the roaster/)
  assert.match(text, /Total: 9\.00 CHF/)
  assert.match(html, /L-7 &amp; &lt;b&gt;/)
})

test('a wrong token, a bad address and a missing id are refused, and the client says so', async () => {
  const stranger = new Tracker({ trackingApiKey: `${token}x`, trackingApiBaseUrl: url })
  await assert.rejects(stranger.user.identify(somebody('eva')), /401/)
  await assert.rejects(tracker.user.identify({ id: 'x', email: 'not an address' }), /400/)
  await assert.rejects(tracker.event.track({ identity: identityOf(somebody('x')), eventName: '' }), /400/)
  await assert.rejects(tracker.event.track({ eventName: 'Read page' }), /have you called identify/)
})

test('an identity store, a visit store and a conversion store are used as given', async () => {
  let identity
  const visited = new Set()
  const remembering = new Tracker({
    trackingApiKey: token,
    trackingApiBaseUrl: url,
    identityStore: {
      save: (userId, email) => (identity = { userId, email }),
      get: () => identity,
      clear: () => (identity = undefined),
    },
    siteVisitedStore: {
      hasVisited: (id) => visited.has(id),
      setVisited: (id) => visited.add(id),
      clear: (id) => visited.delete(id),
    },
    conversionIdStore: { get: () => 'conv-2' },
  })
  const person = somebody('ida')
  await remembering.user.identify({ ...person, noSiteVisitEvent: true })
  await remembering.event.track({ eventName: 'Read page', noSiteVisitEvent: true })
  await eventually(async () => assert.equal(count(await profile(person.id), 'Read page'), 1))
  assert.equal(count(await profile(person.id), 'Visited site'), 0)

  await remembering.event.track({ eventName: 'Read page', data: { page: 2 } })
  await remembering.tag.edit({ add: ['beta'] })
  await remembering.user.unsubscribe()
  await remembering.user.resubscribe()
  await remembering.user.unsubscribe()
  await remembering.user.alias({ newId: `${person.id}-renamed` })
  assert.equal(identity.userId, `${person.id}-renamed`)
  await eventually(async () => {
    const seen = await profile(identity.userId)
    assert.deepEqual([count(seen, 'Read page'), count(seen, 'Visited site')], [2, 1])
    assert.deepEqual([seen.tags, seen.subscribed, seen.former_ids], [['beta'], false, [person.id]])
  })
  const { userId } = identity
  await remembering.user.delete()
  assert.equal(identity, undefined, 'the client forgets who was deleted')
  await eventually(async () => assert.equal(await profile(userId), null))
  remembering.user.unidentify()
  await assert.rejects(remembering.user.unsubscribe(), /have you called identify/)
})

// Node.js takes the CommonJS build, a bundler the module: each with a class and a ready-made tracker.
for (const [build, ready, Class] of [
  ['CommonJS', commonJs.default, commonJs.Tracker],
  ['module', module, modules.Tracker],
]) {
  test(`the ready-made tracker of the ${build} build works after init, as does its class`, async () => {
    const options = { trackingApiKey: token, trackingApiBaseUrl: url }
    assert.equal(ready.initialized, false)
    assert.throws(() => ready.user, /not initialized/)
    ready.init(options)
    assert.equal(ready.initialized, true)
    assert.throws(() => ready.init(options), /already initialized/)
    for (const client of [ready, new Class(options)]) {
      const person = somebody('kim')
      await client.user.identify(person)
      await client.event.track({ identity: identityOf(person), eventName: 'Read page' })
      await eventually(async () => assert.equal(count(await profile(person.id), 'Read page'), 1))
    }
  })
}
