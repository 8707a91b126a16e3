import Foundation
import Testing

/// `quarry evaluate`, from its command line down to the model and a temporary store.
@Suite struct EvaluateCommandTests {
  private func file(_ run: CommandLineRun, _ name: String, _ text: String) throws -> String {
    let url = run.directory.appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  @Test func whatIsWrong_isSaidBeforeAnythingIsAsked() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    let questions = try file(run, "questions.jsonl", #"{"question": "Why?"}"# + "\n" + #"{"question": 5}"#)
    let malformed = await run("evaluate", "retrieval", questions)
    #expect(malformed.code == 65)
    #expect(malformed.errors.contains("questions.jsonl:2: "), "\(malformed.errors)")
    let floor = await run("evaluate", "retrieval", questions, "--fail-under", "page_hits@5=.8")
    #expect(floor.code == 64)
    #expect(floor.errors.contains("page_hit@5"), "\(floor.errors)")
    #expect(await run("evaluate", "retrieval", run.directory.path + "/none.jsonl").code == 66)
    #expect(await run("evaluate", "retrieval").code == 64)
    #expect(!FileManager.default.fileExists(atPath: run.directory.path + "/data"))
  }

  @Test(
    .enabled("The embedding model is not in the cache: run `make setup`.") { CommandLineRun.hasModel },
    .timeLimit(.minutes(5)))
  func measuresASetWithACorpusOfItsOwn_andLeavesTheLibraryAlone() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    _ = try file(
      run, "set/corpus.jsonl",
      """
      {"_id": "1", "title": "Weirs", "text": "A weir holds back the water of a river."}
      {"_id": "2", "title": "Bread", "text": "Dough rises because yeast makes gas."}
      """)
    _ = try file(run, "set/queries.jsonl", #"{"_id": "q", "text": "Why does dough rise?"}"#)
    _ = try file(run, "set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\t2\t1\n")
    let set = run.directory.path + "/set"
    let good = await run("evaluate", "retrieval", set, "--json", "--fail-under", "page_hit@1=.8")
    #expect(good.code == 0, "\(good.errors)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
    #expect(report["questions"] as? Int == 1)
    #expect((report["ndcg@10"] as? [String: Any])?["value"] as? Double == 1)
    #expect(await run("documents", "list", "--json").output.contains("\"documents\" : ["))
    #expect(!(await run("documents", "list").output.contains("upload")))

    let other = try file(
      run, "questions.jsonl",
      #"{"question": "How high?", "answerable": true, "evidence": [{"document": "gone.pdf", "page": 1}]}"#)
    let missing = await run("evaluate", "retrieval", other, "--fail-under", "page_hit@5=0.1")
    #expect(missing.code == 4)
    #expect(missing.output.contains("1 not judged") && missing.errors.contains("could not be measured"))
  }
}
