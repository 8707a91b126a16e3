// What `compare` measures: `requests URL SECONDS CONNECTIONS` as fast as it goes, `slow URL BYTES_PER_SECOND` a body
// that nobody hurries to read. Prints JSON.
import Glibc
import HTTPClient

func processorSeconds() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

/// Requests answered until `end`, by so many tasks at a time.
nonisolated func requests(_ client: HTTPClient, _ url: String, until end: ContinuousClock.Instant, connections: Int)
  async throws -> Int
{
  try await withThrowingTaskGroup(of: Int.self) { group in
    for _ in 0..<connections {
      group.addTask {
        var count = 0
        while ContinuousClock.now < end {
          let response = try await client.execute(HTTPClientRequest(url: url))
          let body = try await response.body.collect(upTo: 1 << 20)
          guard response.status == 200, !body.isEmpty else { fatalError("a wrong answer") }
          count += 1
        }
        return count
      }
    }
    return try await group.reduce(0, +)
  }
}

let arguments = CommandLine.arguments
guard arguments.count >= 4 else { fatalError("usage: requests URL SECONDS CONNECTIONS | slow URL BYTES_PER_SECOND") }
let url = arguments[2]
let client = HTTPClient()

switch arguments[1] {
case "requests":
  guard let seconds = Double(arguments[3]), let connections = Int(arguments[4]) else { fatalError("no number") }
  let end = ContinuousClock.now + .seconds(seconds)
  let began = processorSeconds()
  let count = try await requests(client, url, until: end, connections: connections)
  print("{\"requests\": \(count), \"processor_seconds\": \(processorSeconds() - began)}")
case "slow":
  guard let rate = Double(arguments[3]) else { fatalError("no number") }
  let response = try await client.execute(HTTPClientRequest(url: url, timeout: nil))
  var bytes = 0
  let start = ContinuousClock.now
  for try await chunk in response.body {
    bytes += chunk.count
    try await Task.sleep(until: start + .seconds(Double(bytes) / rate))
  }
  print("{\"bytes\": \(bytes)}")
default: fatalError("no such mode")
}
