// `@getvero/tracking` in a real browser: a shop on one origin loads the package's script build, and calls dunlin on
// another. Every call passes a proxy that tells what the browser really sent.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { activity, count, deliveries, eventually, issueToken, mails, profile, somebody, url } from './dunlin.mjs'
import { FAULTS, flaky } from './flaky.mjs'

const script = createRequire(import.meta.url).resolve('@getvero/tracking').replace('index.cjs', 'index.window.js')
const html = '<!doctype html><title>Shop</title><script src="/vero.js"></script>'
/** A visitor's language and time zone. */
const from = { locale: 'de-CH', timezoneId: 'Asia/Tokyo' }
/** Nothing but this machine can be reached. */
const alone = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'gpu'].map((what) => `--disable-${what}`)

let token
let shop
let browser
const open = []

before(async () => {
  token = await issueToken('chromium tests')
  shop = createServer((asked, answer) => {
    const pages = { '/': html, '/vero.js': readFileSync(script), '/next': 'Good bye' }
    const page = pages[asked.url.split('?')[0]]
    const type = asked.url === '/vero.js' ? 'text/javascript' : 'text/html'
    answer.writeHead(page ? 200 : 404, { 'content-type': type }).end(page)
  })
  await new Promise((listening) => shop.listen(0, '127.0.0.1', listening))
  // Chromium's profile is a new folder, which Playwright removes.
  const args = ['--no-first-run', ...alone, ...quiet]
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args })
})

after(async () => {
  await browser?.close()
  for (const proxy of open) proxy.close()
  shop?.close()
  shop?.closeAllConnections()
})

const origin = () => `http://127.0.0.1:${shop.address().port}`

/** A visitor on the shop's page: `call('user.identify', {…})` calls the tracker in the page. */
async function visit({ search = '', plan = [], key = token } = {}) {
  const proxy = await flaky(url, plan)
  open.push(proxy)
  const page = await browser.newPage(from)
  const requested = new Set()
  page.on('request', (request) => requested.add(new URL(request.url()).origin))
  const options = { trackingApiKey: key, trackingApiBaseUrl: proxy.url }
  const enter = async () => {
    await page.goto(`${origin()}/${search}`)
    await page.evaluate((options) => vero.tracker.init(options), options)
  }
  const call = (name, data) =>
    page.evaluate(([name, data]) => name.split('.').reduce((part, key) => part[key], vero.tracker)(data), [name, data])
  await enter()
  return { page, proxy, requested, enter, call }
}

test('the script build in a page of another origin makes every call, each after its preflight', async () => {
  const { call, proxy, requested } = await visit()
  const person = somebody('vera')
  const newId = `${person.id}-renamed`
  await call('user.identify', { ...person, data: { first_name: 'Vera' } })
  await call('event.track', { eventName: 'Read page', data: { page: 1 } })
  await call('tag.edit', { add: ['web', 'old'] })
  await call('tag.edit', { remove: ['old'] })
  await call('user.unsubscribe', {})
  await call('user.resubscribe', {})
  await call('user.unsubscribe', {})
  await call('user.alias', { newId })
  const seen = await eventually(async () => {
    const found = await profile(newId)
    assert.deepEqual([found?.id, found.former_ids, found.subscribed], [newId, [person.id], false])
    return found
  })
  assert.deepEqual([seen.email, seen.properties.first_name, seen.tags], [person.email, 'Vera', ['web']])
  assert.deepEqual(['Identified', 'Visited site', 'Read page'].map((name) => count(seen, name)), [1, 1, 1])

  await call('user.delete', {})
  await eventually(async () => assert.equal(await profile(newId), null))
  await assert.rejects(call('user.unsubscribe', {}), /have you called identify/)

  const [asked, made] = [new Set(), new Set()]
  for (const { method, path, origin: page } of proxy.calls) {
    assert.equal(page, origin())
    if (method === 'OPTIONS') asked.add(path)
    else assert.ok(asked.has(path) && made.add(path), `${method} ${path} came without a preflight`)
  }
  const users = ['delete', 'reidentify', 'resubscribe', 'tags/edit', 'track', 'unsubscribe']
  const paths = ['events/track', ...users.map((name) => `users/${name}`)].map((path) => `/api/v2/${path}`)
  assert.deepEqual([...made].sort(), paths)
  assert.deepEqual([...requested].sort(), [origin(), proxy.url].sort(), 'nothing else was asked for anything')
})

test('what the browser says of itself reaches the profile and the event', async () => {
  const { call, page } = await visit({ search: '?vero_conv=conv-9' })
  const person = somebody('ben')
  await call('user.identify', person)
  await call('event.track', { eventName: 'Read page' })
  const userAgent = await page.evaluate(() => navigator.userAgent)
  assert.match(userAgent, /Chrome/)
  const itself = { language: from.locale, userAgent, ianaTimezone: from.timezoneId, timezone: 9 }
  await eventually(async () => {
    const { email, ...said } = (await profile(person.id))?.properties ?? {}
    assert.deepEqual(said, itself)
    const read = (await activity(person.id)).find((one) => one.what === 'Read page')
    assert.deepEqual(read?.data, itself)
  })
  assert.equal(await page.evaluate(() => Object.values(sessionStorage).includes('conv-9')), true)
})

test('who comes back to the page is remembered, and whoever logs out is not', async () => {
  const { call, enter } = await visit()
  const person = somebody('rita')
  await call('user.identify', person)
  await enter()
  await call('event.track', { eventName: 'Came back' })
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.deepEqual([count(seen, 'Came back'), count(seen, 'Visited site')], [1, 1])
  })
  await call('user.unidentify')
  await enter()
  await assert.rejects(call('event.track', { eventName: 'Came back' }), /have you called identify/)
})

test('a call on the way out of the page still arrives', async () => {
  const { call, page } = await visit()
  const person = somebody('otto')
  await call('user.identify', person)
  await page.evaluate(() => {
    vero.tracker.event.track({ eventName: 'Left page' })
    location.href = '/next'
  })
  await page.waitForURL('**/next')
  await eventually(async () => assert.equal(count(await profile(person.id), 'Left page'), 1))
})

test('who signs up in the page gets the welcome mail', async () => {
  const { call } = await visit()
  const person = somebody('wilma')
  await call('user.identify', { ...person, data: { first_name: 'Wilma' } })
  await call('event.track', { eventName: 'Signed up' })
  await eventually(async () => assert.equal((await mails(person.email))[0]?.subject, 'Welcome to Larkspur, Wilma'))
})

test('the page may read why a call was refused', async () => {
  const { call } = await visit({ key: 'wrong' })
  await assert.rejects(call('user.identify', somebody('eva')), /401/)
})

for (const [fault, { what, reached }] of Object.entries(FAULTS)) {
  test(`after ${what}, a page that calls again loses and doubles nothing`, async () => {
    const spoiled = [fault, null]
    const { call, proxy } = await visit({ plan: [...spoiled, null, ...spoiled, ...spoiled] })
    // Chromium itself sends again what met a connection that was kept open and drops.
    const insist = (name, data) => call(name, data).catch(() => call(name, data))
    const person = somebody('paul')
    await insist('user.identify', { ...person, noSiteVisitEvent: true, data: { first_name: 'Paul' } })
    await insist('event.track', { eventName: 'Signed up' })
    await insist('event.track', { eventName: 'Purchased item', data: { order: 'L-1' } })
    await call('tag.edit', { add: ['after'] })
    const status = reached ? 200 : undefined
    assert.deepEqual(proxy.calls.filter((call) => call.fault).map((call) => call.status), [status, status, status])
    await eventually(async () => {
      assert.deepEqual((await profile(person.id))?.tags, ['after'])
      const subjects = (await mails(person.email)).map((mail) => mail.subject)
      assert.deepEqual(subjects.sort(), ['Welcome to Larkspur, Paul', 'Your order L-1'])
    })
    const seen = await profile(person.id)
    assert.deepEqual([count(seen, 'Signed up'), count(seen, 'Purchased item')], [1, 1])
    assert.equal((await deliveries(person.id)).length, 2)
  })
}
