import Commands
import Compression
import Foundation
import QuarryTesting
import Testing

@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"), .serialized)
struct ArchiveCommandTests {
  private static let question = "How high is the weir's crest?"

  /// A library with one document under a configuration.
  private func workspace(_ configuration: String, _ variables: [String: String] = [:]) async throws -> Workspace {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-\(UUID().uuidString).yaml")
    try Data(configuration.utf8).write(to: file)
    let workspace = try Workspace(variables.merging(["QUARRY_CONFIG": file.path]) { $1 })
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    let run = await workspace.run("ingest", "-q", workspace.pdfs)
    #expect(run.exitCode == 0, "\(run.error)")
    return workspace
  }

  private func object(_ run: Run) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.error)")
  }

  // MARK: - Replay

  @Test func aReplayTellsWhatChanged_andCountsAsNoLiveTraffic() async throws {
    let workspace = try await workspace("{}")
    let asked = try object(await workspace.run("ask", "--json", Self.question))
    let id = try #require(asked["answer_id"] as? String)
    let same = await workspace.run("archive", "replay", id)
    #expect(same.exitCode == 0, "\(same.error)")
    #expect(same.output.contains("nothing that is shown changed"))
    #expect(same.output.contains("weir.pdf, p. 1"))

    // The best passage is deleted, and another document takes its place.
    #expect(await workspace.run("documents", "delete", "weir.pdf").exitCode == 0)
    try workspace.write(
      "pdfs/other.pdf", TextPDF.make([["The crest of the weir at Alderford is 3.9 metres high since 2024."]]))
    #expect(await workspace.run("ingest", "-q", workspace.path("pdfs/other.pdf")).exitCode == 0)
    let changed = await workspace.run("archive", "replay", "--json", id)
    #expect(changed.exitCode == ExitCode.belowTarget, "\(changed.error)")
    let report = try object(changed)
    #expect(report["same_text"] as? Bool == false)
    #expect((report["answer_before"] as? String)?.contains("3.4") == true)
    #expect((report["answer_after"] as? String)?.contains("3.9") == true)
    let statuses = (report["passages"] as? [[String: Any]] ?? []).compactMap { $0["status"] as? String }
    #expect(statuses.contains("gone") && statuses.contains("new"), "\(statuses)")
    let changes = (report["changes"] as? [[String: Any]] ?? []).compactMap { $0["what"] as? String }
    #expect(changes.contains("index_generation"))

    let events = await workspace.run("archive", "list", "--json", "--type", "answer").output.split(separator: "\n")
    #expect(events.count { $0.contains("\"traffic_kind\":\"live\"") } == 1)
    #expect(events.count { $0.contains("\"traffic_kind\":\"replay\"") } == 2)
    let unknown = await workspace.run("archive", "replay", "0199a3c1-5d2e-7c41-8f0a-3f6d2f0c9b11")
    #expect(unknown.exitCode == ExitCode.notFound)
  }

  @Test func aReplayNamesTheRedactedFieldThatPreventsIt() async throws {
    let workspace = try await workspace("events: {redact: {patterns: [{name: word, pattern: crest}]}}")
    let id = try #require(try object(await workspace.run("ask", "--json", Self.question))["answer_id"] as? String)
    let run = await workspace.run("archive", "replay", id)
    #expect(run.exitCode == ExitCode.notFound)
    #expect(run.error.contains("its question was redacted"), "\(run.error)")
  }

  // MARK: - Archives beyond this machine

  private static let needsMoto = "moto is not installed (make setup-test)"

  private func variables(_ url: String) -> [String: String] {
    [
      "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "eu-central-1",
      "AWS_ENDPOINT_URL": url,
    ]
  }

  /// The lines of all objects, by key.
  private func lines(_ server: MotoServer) async throws -> [String: [String]] {
    let read = try await server.boto(
      """
      import gzip
      c = client("s3")
      print(json.dumps({o["Key"]: gzip.decompress(c.get_object(Bucket="rag", Key=o["Key"])["Body"].read()).decode().split("\\n")[:-1]
          for o in c.list_objects_v2(Bucket="rag").get("Contents", [])}))
      """)
    return try JSONDecoder().decode([String: [String]].self, from: Data(read.utf8))
  }

  private func moto() async throws -> MotoServer {
    let server = try await MotoServer()
    _ = try await server.boto(
      "client('s3').create_bucket(Bucket='rag', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})")
    return server
  }

  private func spooled(_ workspace: Workspace) -> [String] {
    let spool = workspace.path(".local/share/quarry/spool/s3")
    return (FileManager.default.subpaths(atPath: spool) ?? []).filter { $0.hasSuffix(".jsonl.gz") }
  }

  @Test(.enabled(if: MotoServer.python != nil, "\(needsMoto)"), arguments: [FaultyProxy.Mode.hangsBefore, .hangsAfter])
  func aKillBetweenSpoolAndUploadLosesNothing_andDoublesNothing(mode: FaultyProxy.Mode) async throws {
    let server = try await moto()
    let proxy = try FaultyProxy(to: server.url)
    let workspace = try await workspace(
      "events: {targets: [s3], s3: {uri: s3://rag/logs}, spool: {flushTime: 100s}}", variables(proxy.url))
    #expect(spooled(workspace) == [])
    let before = try await lines(server).values.flatMap { $0 }
    #expect(!before.isEmpty && before.allSatisfy { $0.contains("\"type\":\"embedding\"") })

    proxy.set(mode)
    let process = Process()
    process.executableURL = buildFolder.appendingPathComponent("quarry")
    process.arguments = ["ask", Self.question]
    process.environment = workspace.environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let deadline = Date().addingTimeInterval(120)
    while proxy.uploads == 0, process.isRunning, Date() < deadline { try await Task.sleep(for: .milliseconds(20)) }
    #expect(proxy.uploads == 1)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(spooled(workspace).count == 1)
    #expect(try await lines(server).values.flatMap { $0 }.count == before.count + (mode == .hangsAfter ? 1 : 0))

    // Read once, though it may be in the spool, in the archive, on its way, or in both. This command sends it too.
    proxy.set(.passes)
    let listed = await workspace.run("archive", "list", "--json", "--type", "answer", "--set", "events.enabled=false")
    #expect(listed.output.split(separator: "\n").count == 1, "\(listed.output)\(listed.error)")
    let shipped = await workspace.run("archive", "ship")
    #expect(
      shipped.exitCode == 0 && shipped.output.contains("files sent, 0 wait"), "\(shipped.output)\(shipped.error)")
    #expect(spooled(workspace) == [])
    let objects = try await lines(server)
    #expect(objects.count == 2 && objects.keys.allSatisfy { $0.hasPrefix("logs/events/v1/20") })
    let all = objects.values.flatMap { $0 }
    #expect(all.count == before.count + 1 && all.count { $0.contains(Self.question) } == 1)

    // And when the archive has it alone.
    let again = await workspace.run("archive", "list", "--json", "--type", "answer")
    #expect(again.output == listed.output)
    await proxy.stop()
  }

  @Test(.enabled(if: MotoServer.python != nil, "\(needsMoto)"))
  func anOutageDelaysNoAnswerForLong_andIsMadeUpForLater() async throws {
    let server = try await moto()
    let workspace = try await workspace(
      "events: {targets: [s3], s3: {uri: s3://rag}, spool: {flushTime: 500ms}}", variables("http://127.0.0.1:9"))
    let clock = ContinuousClock()
    let start = clock.now
    let asked = await workspace.run("ask", "-q", Self.question)
    #expect(asked.exitCode == 0 && asked.output.contains("3.4 metres"), "\(asked.error)")
    #expect(start.duration(to: clock.now) < .seconds(60))
    #expect(spooled(workspace).count == 2)
    let failed = await workspace.run("archive", "ship")
    #expect(failed.exitCode == ExitCode.unavailable && failed.error.contains("aws.unreachable"), "\(failed.error)")
    let doctor = await workspace.run("doctor")
    #expect(doctor.output.contains("archive s3") && doctor.output.contains("2 files"), "\(doctor.output)")

    let later = await workspace.run("ask", "-q", Self.question, adding: variables(server.url))
    #expect(later.exitCode == 0)
    _ = await workspace.run("archive", "ship", adding: variables(server.url))
    #expect(spooled(workspace) == [])
    let all = try await lines(server).values.flatMap { $0 }
    #expect(all.count { $0.contains(Self.question) } == 2 && all.contains { $0.contains("\"type\":\"embedding\"") })
  }

  @Test(.enabled(if: MotoServer.python != nil, "\(needsMoto)"))
  func noByteOfWhatIsRedactedIsWritten() async throws {
    let server = try await moto()
    let workspace = try await workspace(
      """
      app: grep
      events:
        targets: [directory, s3]
        s3: {uri: s3://rag/x}
        vectors: true
        redact: {fields: [prompt], patterns: [email, {name: word, pattern: "(?i)crest|metres"}]}
      """, variables(server.url))
    let asked = await workspace.run("ask", "-q", "How high is the weir's crest in metres? jane.doe@example.org")
    #expect(asked.output.contains("3.4 metres"), "\(asked.output)\(asked.error)")
    #expect(spooled(workspace) == [])
    let data = workspace.path(".local/share/quarry")
    var texts: [String: String] = [:]
    for name in FileManager.default.subpaths(atPath: data + "/archive") ?? [] where name.hasSuffix(".gz") {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(data)/archive/\(name)")))
      texts[name] = String(decoding: try decompress(bytes, limit: 1 << 24), as: UTF8.self)
    }
    for (key, lines) in try await lines(server) { texts[key] = lines.joined(separator: "\n") }
    // Events, and the vectors of the chunk; the question's vector is gone with its words.
    #expect(texts.keys.count { $0.contains("events/v1/") } >= 3)
    #expect(texts.keys.count { $0.contains("embeddingarchive/grep/") } == 2)
    #expect(!texts.keys.contains { $0.contains("promptarchive") })
    let answers = texts.values.filter { $0.contains("\"type\":\"answer\"") }
    #expect(answers.count == 2)
    for text in answers {
      #expect(text.contains("[redacted:email]") && text.contains("[redacted:word]") && text.contains("\"redacted\":["))
    }
    for (name, text) in texts {
      for secret in ["jane.doe", "crest", "metres"] {
        #expect(text.range(of: secret, options: .caseInsensitive) == nil, "\(secret) in \(name)")
      }
    }
  }

  @Test(arguments: [
    ("events: {targets: [s3]}", "events.s3.uri"), ("events: {targets: [firehose]}", "events.firehose.stream"),
    ("events: {redact: {patterns: [nothing]}}", "events.redact.patterns[0].name"),
    ("events: {redact: {patterns: [{name: x, pattern: '('}]}}", "events.redact.patterns[0].pattern"),
  ])
  func aWrongConfigurationIsToldAtItsKey(text: String, key: String) async throws {
    let workspace = try Workspace()
    let file = try workspace.write("quarry.yaml", text)
    let run = await workspace.run("--config", file, "config", "show")
    #expect(run.exitCode == ExitCode.configuration)
    #expect(run.error.contains(key), "\(run.error)")
  }
}
