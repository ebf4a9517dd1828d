/** Brings the object under a key in line with its file. */
import type { Listing } from '../s3/objects'
import type { Delivery, Put } from './delivery'
import { putParts } from './multipart'
import { putWhole } from './whole'

/**
 * Sends the delivery's file: whole if it is no larger than one part, else in parts. Nothing is sent if the key holds
 * the same content.
 * @param listing what was known of the run's keys before anything was sent
 * @throws Failure
 */
export async function putObject(delivery: Delivery, listing: Listing): Promise<Put> {
  const { csv } = delivery
  return csv.size <= csv.partSize ? await putWhole(delivery, listing) : await putParts(delivery, listing)
}
