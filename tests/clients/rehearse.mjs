// One person, by the official client, for tests/rehearsal: identifies somebody and tracks an event.

import { Tracker } from '@getvero/tracking'

const { BASE, TOKEN, PERSON, EVENT_ONLY } = process.env
const tracker = new Tracker({ trackingApiKey: TOKEN, trackingApiBaseUrl: BASE })
const email = `${PERSON}@example.com`
if (!EVENT_ONLY) {
  await tracker.user.identify({ id: PERSON, email, data: { first_name: PERSON[0].toUpperCase() + PERSON.slice(1) } })
}
const data = EVENT_ONLY ? { again: true } : {}
await tracker.event.track({ identity: { userId: PERSON, email }, eventName: 'Signed up', data })
