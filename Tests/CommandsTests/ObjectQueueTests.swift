import Commands
import Concurrency
import Foundation
import QuarryTesting
import Testing

/// Two workers of one queue and one store, with S3 and SQS of moto.
@Suite(
  .enabled(if: hasModel, "the embedding model is missing; run 'make setup'"),
  .enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"),
  .serialized, .timeLimit(.minutes(5)))
struct ObjectQueueTests {
  @Test func neverWorkOnOneDocumentTwice() async throws {
    let moto = try await MotoServer()
    _ = try await moto.boto(
      """
      client("s3").create_bucket(Bucket="library", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
      client("sqs").create_queue(QueueName="objects")
      """)
    let workspace = try Workspace([
      "QUARRY_EVENTS_ENABLED": "false", "AWS_ENDPOINT_URL": moto.url, "AWS_ACCESS_KEY_ID": "testing",
      "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "eu-central-1",
    ])
    let configuration = try workspace.write(
      "quarry.yaml",
      """
      sources:
        - uri: s3://library/reports
          queue: arn:aws:sqs:eu-central-1:123456789012:objects
      """)
    let workers = try (0..<2).map { _ in
      try RunningQuarry(["watch", "--config", configuration], workspace.environment)
    }
    for worker in workers { try await worker.until("source is up to date") }

    let count = 12
    let bytes = (0..<count).map { number in
      TextPDF.make([["Report \(number) is about the weir.", "Its gate number \(number) is shut."]])
        .base64EncodedString()
    }
    // Each is told of five times over, in any order, and so both workers hear of it at once.
    _ = try await moto.boto(
      """
      import base64, random
      bodies = \(bytes)
      for number, body in enumerate(bodies):
          client("s3").put_object(Bucket="library", Key=f"reports/{number}.pdf", Body=base64.b64decode(body))
      sqs = client("sqs")
      url = sqs.get_queue_url(QueueName="objects")["QueueUrl"]
      numbers = list(range(\(count))) * 5
      random.shuffle(numbers)
      for number in numbers:
          s3 = {"bucket": {"name": "library"}, "object": {"key": f"reports/{number}.pdf"}}
          sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}))
      """)
    let isEmpty = """
      import time
      sqs = client("sqs")
      url = sqs.get_queue_url(QueueName="objects")["QueueUrl"]
      names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
      while any(v != "0" for v in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()):
          time.sleep(0.1)
      """
    _ = try await moto.boto(isEmpty)

    let said = workers.map(\.said).joined(separator: "\n")
    #expect(workers.reduce(0) { $0 + $1.count("document ingested") } == count, "\(said)")
    #expect(workers.reduce(0) { $0 + $1.count("document updated") } == 0, "\(said)")
    for number in 0..<count { #expect(said.components(separatedBy: "reports/\(number).pdf\"").count == 2) }
    let list = try await workspace.run("documents", "list", "--json").object()
    #expect((list["documents"] as? [Any])?.count == count)
    for worker in workers { #expect(worker.stop() == 0) }
  }
}
