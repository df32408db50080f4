// A thin function with AWS's SDK for JavaScript, to put beside `evaluate`: one GetItem, one PutItem, one SendMessage for
// each record. It speaks Lambda's Runtime API by itself, which is lighter than AWS's own client.

import { Agent, request } from 'node:http'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

const dynamodb = new DynamoDBClient({})
const sqs = new SQSClient({})
const table = `${process.env.DUNLIN_PREFIX}profiles`
const queue = `${process.env.DUNLIN_QUEUES}/${process.env.DUNLIN_PREFIX}sends-dead`

const agent = new Agent({ keepAlive: true })
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { agent, host, port, method, path: `/2018-06-01/runtime/${path}` }
    const asked = request(options, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => resolve({ headers: answer.headers, text: Buffer.concat(chunks).toString() }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function one(record) {
  const call = JSON.parse(record.body).calls[0]
  const key = { pk: { S: `thin/${call.project}/${call.user}` }, sk: { S: 'profile' } }
  const { Item: known } = await dynamodb.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))
  const version = Number(known?.version.N ?? 0)
  const profile = { ...JSON.parse(known?.profile.S ?? '{}'), last: call }
  await dynamodb.send(
    new PutItemCommand({
      TableName: table,
      Item: { ...key, version: { N: `${version + 1}` }, profile: { S: JSON.stringify(profile) } },
      ConditionExpression: 'attribute_not_exists(version) OR version = :version',
      ExpressionAttributeValues: { ':version': { N: `${version}` } },
    }),
  )
  await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify({ v: 1, call }) }))
}

async function handle(event) {
  await Promise.all(event.Records.map(one))
  return { batchItemFailures: [] }
}

const nothing = { pk: { S: '-' }, sk: { S: '-' } }
await Promise.all([
  dynamodb.send(new GetItemCommand({ TableName: table, Key: nothing })),
  sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] })),
])

for (;;) {
  const { headers, text } = await ask('GET', 'invocation/next')
  const path = `invocation/${headers['lambda-runtime-aws-request-id']}`
  try {
    await ask('POST', `${path}/response`, JSON.stringify(await handle(JSON.parse(text))))
  } catch (error) {
    await ask('POST', `${path}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }))
  }
}
