// `@getvero/tracking` in a page: its stores, what it adds of itself, and the script build. The page is as much of a
// browser as the package asks for.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { before, beforeEach, test } from 'node:test'
import {
  LegacySessionCookieConversionIdStore,
  LegacySessionCookieSiteVisitedStore,
  LocalStorageIdentityStore,
  SessionStorageConversionIdStore,
  SessionStorageSiteVisitedStore,
  Tracker,
} from '@getvero/tracking'
import { activity, count, eventually, issueToken, profile, somebody, url } from './dunlin.mjs'

const navigator = { language: 'de-CH', userAgent: 'A browser/1.0' }
let token

class Storage extends Map {
  getItem = (key) => this.get(key) ?? null
  setItem = (key, value) => void this.set(key, `${value}`)
  removeItem = (key) => void this.delete(key)
}

/** A cookie jar behind `document.cookie`; a date in the past removes. */
class Page {
  jar = new Map()
  get cookie() {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }
  set cookie(line) {
    const [name, value] = line.split(';')[0].split('=')
    if (line.includes('expires=Thu, 01 Jan 1970')) this.jar.delete(name)
    else this.jar.set(name, value)
  }
}

before(async () => {
  token = await issueToken('browser tests')
})

beforeEach(() => {
  const location = { search: '?vero_conv=conv-3', hostname: 'shop.example' }
  const page = { window: { location, navigator }, document: new Page(), localStorage: new Storage() }
  Object.assign(globalThis, page, { sessionStorage: new Storage() })
})

const options = () => ({ trackingApiKey: token, trackingApiBaseUrl: url })

test('a visitor is identified once and remembered, with the visit and what the browser says', async () => {
  const person = somebody('vera')
  await new Tracker(options()).user.identify({ ...person, data: { plan: 'pro' } })
  const after = new Tracker(options())
  await after.event.track({ eventName: 'Read page', data: { page: 1 } })
  await after.tag.edit({ add: ['web'] })
  await eventually(async () => {
    const seen = await profile(person.id)
    assert.deepEqual([count(seen, 'Visited site'), count(seen, 'Read page'), seen.tags], [1, 1, ['web']])
    const { language, userAgent, ianaTimezone, timezone, plan } = seen.properties
    assert.deepEqual([language, userAgent, plan], ['de-CH', 'A browser/1.0', 'pro'])
    assert.equal(ianaTimezone, Intl.DateTimeFormat().resolvedOptions().timeZone)
    assert.equal(typeof timezone, 'number')
  })
  await eventually(async () => {
    const read = (await activity(person.id)).find((one) => one.what === 'Read page')
    assert.deepEqual([read?.data.page, read?.data.language], [1, 'de-CH'])
  })

  after.user.unidentify()
  await assert.rejects(after.event.track({ eventName: 'Read page' }), /have you called identify/)
})

test('every store that the package ships serves the tracker', async () => {
  const namespace = { keyNamespace: 'shop' }
  const cookies = { cookieDomain: 'shop.example' }
  const stores = [
    [new SessionStorageSiteVisitedStore(namespace), new SessionStorageConversionIdStore(namespace)],
    [new LegacySessionCookieSiteVisitedStore(cookies), new LegacySessionCookieConversionIdStore(cookies)],
  ]
  for (const [siteVisitedStore, conversionIdStore] of stores) {
    const identityStore = new LocalStorageIdentityStore(namespace)
    const tracker = new Tracker({ ...options(), identityStore, siteVisitedStore, conversionIdStore })
    const person = somebody('stella')
    await tracker.user.identify(person)
    await tracker.event.track({ eventName: 'Read page' })
    await eventually(async () => {
      const seen = await profile(person.id)
      assert.deepEqual([count(seen, 'Visited site'), count(seen, 'Read page')], [1, 1])
    })
    assert.deepEqual(identityStore.get(), { userId: person.id, email: person.email })
    assert.equal(conversionIdStore.get(), 'conv-3')
    assert.equal(siteVisitedStore.hasVisited(person.id), true)
    tracker.user.unidentify()
    assert.deepEqual([identityStore.get(), siteVisitedStore.hasVisited(person.id)], [undefined, false])
  }
})

test('the script for a page works as it is', async () => {
  const script = createRequire(import.meta.url).resolve('@getvero/tracking').replace('index.cjs', 'index.window.js')
  new Function(readFileSync(script, 'utf8')).call(globalThis)
  const { tracker } = globalThis.vero ?? globalThis.window.vero
  tracker.init(options())
  const person = somebody('sara')
  await tracker.user.identify(person)
  await tracker.event.track({ eventName: 'Read page' })
  await eventually(async () => assert.equal(count(await profile(person.id), 'Read page'), 1))
})

test('a page of another origin may call: the preflight of every method is answered', async () => {
  for (const [method, path] of [['POST', '/events/track'], ['PUT', '/users/tags/edit'], ['PUT', '/users/reidentify']]) {
    const answer = await fetch(`${url}/api/v2${path}?tracking_api_key=${token}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': method,
        'access-control-request-headers': 'content-type',
      },
    })
    assert.ok(answer.ok, `${answer.status}`)
    assert.match(answer.headers.get('access-control-allow-origin'), /^(\*|https:\/\/shop\.example)$/)
    assert.match(answer.headers.get('access-control-allow-methods'), new RegExp(method))
    assert.match(answer.headers.get('access-control-allow-headers'), /content-type/i)
  }
})
