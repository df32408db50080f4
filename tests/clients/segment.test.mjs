// `@segment/analytics-node`: every call, what each becomes, and what is not taken.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { Analytics } from '@segment/analytics-node'
import {
  activity,
  count,
  eventually,
  issueToken,
  logged,
  mail,
  mails,
  profile,
  propertiesOf,
  somebody,
  url,
} from './dunlin.mjs'

let token
let analytics
const clients = []

/** A client as an application makes it; all of them are closed at the end. */
function client(settings = {}) {
  const made = new Analytics({ writeKey: token, host: url, ...settings })
  clients.push(made)
  return made
}

before(async () => {
  token = await issueToken('segment tests')
  // Its calls travel together when a test says so, and keep their order.
  analytics = client({ flushAt: 100 })
})

after(() => Promise.all(clients.map((made) => made.closeAndFlush())))

/** Identifies somebody new. */
function known(name, traits = {}) {
  const person = somebody(name)
  analytics.identify({ userId: person.id, traits: { email: person.email, ...traits } })
  return person
}

/** A person once they are there. */
const there = (id) =>
  eventually(async () => {
    const seen = await profile(id)
    assert.ok(seen)
    return seen
  })

test('identify makes a profile of its traits, with the address to mail', async () => {
  const person = known('ann', { first_name: 'Ann', age: 30, address: { city: 'Zürich 🏔' } })
  await analytics.flush()
  const seen = await there(person.id)
  assert.equal(seen.email, person.email)
  assert.deepEqual(propertiesOf(seen), { first_name: 'Ann', age: 30, address: { city: 'Zürich 🏔' } })
  assert.equal(count(seen, 'Identified'), 1)
})

test('identify again merges traits; null unsets one', async () => {
  const { id: userId } = known('bob', { plan: 'free', city: 'Bern', beta: true })
  analytics.identify({ userId, traits: { plan: 'pro', beta: null } })
  await analytics.flush()
  await eventually(async () => assert.deepEqual(propertiesOf(await profile(userId)), { plan: 'pro', city: 'Bern' }))
})

test('track records an event with its properties at its own time, and the address of the context', async () => {
  const { id: userId, email } = somebody('eve')
  analytics.track({
    userId,
    event: 'Viewed product',
    properties: { sku: 'A-1', price: 9.5 },
    timestamp: new Date('2026-01-05T09:30:00+01:00'),
    context: { traits: { email } },
  })
  await analytics.flush()
  const seen = await there(userId)
  assert.equal(seen.email, email)
  const [viewed] = seen.events.filter((event) => event.name === 'Viewed product')
  assert.deepEqual([viewed.count, new Date(viewed.first_at).toISOString()], [1, '2026-01-05T08:30:00.000Z'])
})

test('the same event twice is two events, and the same message twice is one', async () => {
  const { id: userId } = somebody('twice')
  analytics.track({ userId, event: 'Read page' })
  analytics.track({ userId, event: 'Read page' })
  const messageId = `message of ${userId}`
  analytics.track({ userId, event: 'Paid', messageId })
  await analytics.flush()
  analytics.track({ userId, event: 'Paid', messageId })
  analytics.track({ userId, event: 'Left' })
  await analytics.flush()
  await eventually(async () => assert.equal(count(await profile(userId), 'Left'), 1))
  const seen = await profile(userId)
  assert.deepEqual([count(seen, 'Read page'), count(seen, 'Paid')], [2, 1])
})

test('page and screen are events that tell what was viewed', async () => {
  const { id: userId } = somebody('pia')
  const page = { url: 'https://shop.example/beans' }
  analytics.page({ userId, category: 'Shop', name: 'Beans', properties: { sort: 'price' }, context: { page } })
  analytics.screen({ userId, name: 'Basket', properties: { items: 2 } })
  await analytics.flush()
  await eventually(async () => {
    const seen = await profile(userId)
    assert.deepEqual([count(seen, 'Viewed page'), count(seen, 'Viewed screen')], [1, 1])
  })
  await eventually(async () => {
    const data = Object.fromEntries((await activity(userId)).map((one) => [one.what, one.data]))
    assert.deepEqual(data['Viewed page'], { name: 'Beans', category: 'Shop', sort: 'price', url: page.url })
    assert.deepEqual(data['Viewed screen'], { name: 'Basket', items: 2 })
  })
})

test('group puts its traits into the profile, and makes nobody of a stranger', async () => {
  const person = known('gil', { plan: 'pro' })
  const stranger = somebody('stranger')
  const company = { groupId: 'acme', traits: { name: 'ACME', seats: 5 } }
  analytics.group({ userId: stranger.id, ...company })
  analytics.group({ userId: person.id, ...company })
  await analytics.flush()
  await eventually(async () => {
    const { group, plan } = propertiesOf(await profile(person.id))
    assert.deepEqual([group, plan], [{ name: 'ACME', seats: 5 }, 'pro'])
  })
  analytics.identify({ userId: stranger.id, traits: { plan: 'free' } })
  await analytics.flush()
  assert.deepEqual(propertiesOf(await there(stranger.id)), { plan: 'free' })
})

test('alias makes the visitor of before the person who signed up', async () => {
  const [visitor, person] = [somebody('visitor'), somebody('member')]
  analytics.track({ anonymousId: visitor.id, event: 'Read page' })
  analytics.alias({ previousId: visitor.id, userId: person.id })
  analytics.identify({ userId: person.id, traits: { email: person.email } })
  analytics.track({ userId: person.id, event: 'Read page' })
  await analytics.flush()
  await eventually(async () => {
    const seen = await profile(visitor.id)
    assert.deepEqual([seen?.id, seen.former_ids, seen.email], [person.id, [visitor.id], person.email])
    assert.equal(count(seen, 'Read page'), 2)
  })
})

test('an event whose name says unsubscribe unsubscribes, and is no event', async () => {
  const { id: userId } = known('uma')
  analytics.track({ userId, event: 'Email Unsubscribed' })
  await analytics.flush()
  await eventually(async () => assert.equal((await profile(userId))?.subscribed, false))
  assert.equal(count(await profile(userId), 'Email Unsubscribed'), 0)
})

test('integrations.Vero.tags tags after the call itself, to whomever the call leads', async () => {
  const tagged = (action, ...values) => ({ integrations: { Vero: { tags: { action, values } } } })
  const { id: userId } = somebody('tess')
  const newId = `${userId}-renamed`
  analytics.identify({ userId, traits: {}, ...tagged('add', 'beta', 'staff') })
  analytics.track({ userId, event: 'Left the team', ...tagged('remove', 'staff') })
  analytics.alias({ previousId: userId, userId: newId, ...tagged('add', 'vip') })
  await analytics.flush()
  await eventually(async () => {
    const seen = await profile(newId)
    assert.deepEqual([seen?.id, seen.tags.toSorted()], [newId, ['beta', 'vip']])
  })
})

test('who signs up gets the welcome mail', async () => {
  const person = known('wim', { first_name: 'Wim' })
  analytics.track({ userId: person.id, event: 'Signed up' })
  await analytics.flush()
  const [welcome] = await eventually(async () => {
    const arrived = await mails(person.email)
    assert.equal(arrived.length, 1)
    return arrived
  })
  assert.equal(welcome.subject, 'Welcome to Larkspur, Wim')
  assert.match((await mail(welcome.id)).text, /Unsubscribe: http/)
})

test('calls wait for a full batch, and flush sends what is left', async () => {
  const batching = client({ flushAt: 4, flushInterval: 60_000 })
  const sizes = []
  batching.on('http_request', ({ body }) => sizes.push(JSON.parse(body).batch.length))
  const people = Array.from({ length: 10 }, (_, number) => somebody(`batch-${number}`))
  const read = ({ id: userId }) => new Promise((done) => batching.track({ userId, event: 'Read page' }, done))
  const taken = people.map(read)
  await batching.flush()
  assert.deepEqual(sizes, [4, 4, 2])
  assert.deepEqual(await Promise.all(taken), people.map(() => undefined), 'each call hears that it was taken')
  for (const { id } of people) assert.equal(count(await there(id), 'Read page'), 1)
})

test('closeAndFlush sends what is left and takes nothing more', async () => {
  const closing = client({ flushAt: 100 })
  const { id: userId } = somebody('cleo')
  const late = []
  closing.on('call_after_close', (event) => late.push(event.event))
  closing.track({ userId, event: 'Read page' })
  await closing.closeAndFlush()
  closing.track({ userId, event: 'Too late' })
  assert.deepEqual(late, ['Too late'])
  analytics.track({ userId, event: 'Left' })
  await analytics.flush()
  await eventually(async () => assert.equal(count(await profile(userId), 'Left'), 1))
  const seen = await profile(userId)
  assert.deepEqual([count(seen, 'Read page'), count(seen, 'Too late')], [1, 0])
})

test('the path, a fetch and a plugin of the application are used as given', async () => {
  const asked = []
  const httpClient = (address, init) => {
    asked.push(new URL(address).pathname)
    return fetch(address, init)
  }
  const own = client({ path: '/v1/import', httpClient, flushAt: 1 })
  const enrich = (context) => {
    context.updateEvent('properties.shop', 'Bern')
    return context
  }
  const plugin = { name: 'shop', type: 'enrichment', version: '1', isLoaded: () => true, load: async () => {} }
  const { id: userId } = somebody('plug')
  await own.register({ ...plugin, track: enrich })
  await new Promise((done) => own.track({ userId, event: 'Paid' }, done))
  await own.deregister('shop')
  await new Promise((done) => own.track({ userId, event: 'Left' }, done))
  assert.deepEqual(asked, ['/v1/import', '/v1/import'])
  await eventually(async () => {
    const data = Object.fromEntries((await activity(userId)).map((one) => [one.what, one.data]))
    assert.deepEqual([data.Paid, data.Left], [{ shop: 'Bern' }, {}])
  })
})

test('the CommonJS build works as its module does, and a disabled client sends nothing', async () => {
  const { Analytics: Class } = createRequire(import.meta.url)('@segment/analytics-node')
  const common = new Class({ writeKey: token, host: url })
  const disabled = client({ disable: true })
  const { id: userId } = somebody('kim')
  disabled.track({ userId, event: 'Paid' })
  await disabled.flush()
  common.track({ userId, event: 'Read page' })
  await common.closeAndFlush()
  assert.deepEqual([count(await there(userId), 'Read page'), count(await profile(userId), 'Paid')], [1, 0])
})

test('a call that cannot be taken is counted in the log with its reason, and its neighbours are taken', async () => {
  const batching = client({ flushAt: 100 })
  const { id: userId } = somebody('nora')
  const said = logged().length
  const answers = []
  batching.on('http_response', ({ status }) => answers.push(status))
  batching.identify({ userId, traits: { email: 'nobody', plan: 'pro' } })
  batching.group({ groupId: 'nobody in it' })
  batching.alias({ userId })
  batching.track({ userId, event: 'Read page', messageId: 'm'.repeat(100) })
  batching.track({ userId, event: '' })
  batching.track({ userId, event: 'Left' })
  await batching.flush()
  assert.deepEqual(answers, [200])
  const seen = await eventually(async () => {
    const person = await profile(userId)
    assert.equal(count(person, 'Left'), 1)
    return person
  })
  assert.deepEqual([seen.email ?? null, propertiesOf(seen), count(seen, 'Read page')], [null, { plan: 'pro' }, 0])
  const reasons = [
    '`event` is required: 1',
    '`messageId` must be shorter than 100 characters: 1',
    '`previousId` is required: 1',
    '`traits.email` is not a valid e-mail address: 1',
    '`userId` or `anonymousId` is required: 1',
  ]
  await eventually(async () => assert.ok(logged().slice(said).includes(reasons.join('; '))))
})

test('a wrong write key is refused, and the client says so', async () => {
  const stranger = client({ writeKey: `${token}x`, flushAt: 1 })
  const failed = []
  stranger.on('error', ({ reason }) => failed.push(reason.message))
  const refused = await new Promise((done) => stranger.track({ userId: somebody('eva').id, event: 'Paid' }, done))
  assert.match(refused.message, /401/)
  await stranger.flush()
  assert.deepEqual(failed, [refused.message])
})
