// A running dunlin, as an operator sees it: `manage` and the outbox.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const url = process.env.DUNLIN_URL
const keys = JSON.parse(readFileSync(process.env.DUNLIN_KEYS, 'utf8'))
const project = '/projects/prj_demo'

/** How long the pipeline may take until something is visible, and how often we look, in milliseconds. */
const PATIENCE = 20_000
const PAUSE = 25

/** A request to `manage`: its status and its JSON. */
export async function manage(method, path, body) {
  const answer = await fetch(`${url}/manage/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${keys.admin_key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  return { status: answer.status, json: await answer.json() }
}

/** A token of the demo project. */
export async function issueToken(label) {
  const { status, json } = await manage('POST', `${project}/tokens`, { label })
  assert.equal(status, 201, JSON.stringify(json))
  return json.token
}

/** A person's profile, or null. */
export async function profile(id) {
  const { status, json } = await manage('GET', `${project}/profiles/-?id=${encodeURIComponent(id)}`)
  return status === 404 ? null : json
}

/** The properties that were given, besides the address. */
export function propertiesOf(person) {
  const { email, ...properties } = person?.properties ?? {}
  return properties
}

/** What happened to a person, newest first. */
export async function activity(id) {
  const { json } = await manage('GET', `${project}/profiles/${encodeURIComponent(id)}/activity`)
  return json.activity ?? []
}

/** The mails to a person, sent or not. */
export async function deliveries(id) {
  const { json } = await manage('GET', `${project}/profiles/${encodeURIComponent(id)}/deliveries`)
  return json.deliveries ?? []
}

/** How often a person did what. */
export function count(person, event) {
  return person?.events.find((one) => one.name === event)?.count ?? 0
}

/** The mails in the outbox to an address, newest first. */
export async function mails(address) {
  const { mails } = await (await fetch(`${url}/outbox.json?limit=1000`)).json()
  return mails.filter((mail) => mail.to.includes(address))
}

/** A mail with its bodies. */
export async function mail(id) {
  return (await fetch(`${url}/outbox/${id}.json`)).json()
}

/** What the server has logged so far. */
export function logged() {
  return readFileSync(process.env.DUNLIN_LOG, 'utf8')
}

/**
 * Calls answer before they are processed: looks until `check` no longer throws, and returns what it returns. What it
 * threw last is thrown when patience ends.
 */
export async function eventually(check) {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await new Promise((resume) => setTimeout(resume, PAUSE))
  }
}

/** A person whom no other test knows. */
export function somebody(name) {
  const id = `${name}-${randomBytes(4).toString('hex')}`
  return { id, email: `${id}@example.com` }
}
