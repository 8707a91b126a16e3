import Foundation
import Testing

/// `quarry evaluate`, from its command line down to the model and a temporary store.
@Suite struct EvaluateCommandTests {
  @Test func whatIsWrong_isSaidBeforeAnythingIsAsked() async throws {
    let workspace = try Workspace()
    let questions = try workspace.write(
      "questions.jsonl", #"{"question": "Why?"}"# + "\n" + #"{"question": 5}"#)
    let malformed = await workspace.run("evaluate", "retrieval", questions)
    #expect(malformed.exitCode == 65)
    #expect(malformed.error.contains("questions.jsonl:2: "), "\(malformed.error)")
    let floor = await workspace.run("evaluate", "retrieval", questions, "--fail-under", "page_hits@5=.8")
    #expect(floor.exitCode == 64)
    #expect(floor.error.contains("page_hit@5"), "\(floor.error)")
    #expect(await workspace.run("evaluate", "retrieval", workspace.path("none.jsonl")).exitCode == 66)
    #expect(await workspace.run("evaluate", "retrieval").exitCode == 64)
    #expect(!FileManager.default.fileExists(atPath: workspace.path(".local")))
  }

  @Test(
    .enabled("The embedding model is not in the cache: run `make setup`.") { hasModel },
    .timeLimit(.minutes(5)))
  func measuresASetWithACorpusOfItsOwn_andLeavesTheLibraryAlone() async throws {
    let workspace = try Workspace()
    try workspace.write(
      "set/corpus.jsonl",
      """
      {"_id": "1", "title": "Weirs", "text": "A weir holds back the water of a river."}
      {"_id": "2", "title": "Bread", "text": "Dough rises because yeast makes gas."}
      """)
    try workspace.write(
      "set/queries.jsonl", #"{"_id": "q", "text": "Why does dough rise?"}"#)
    try workspace.write(
      "set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\t2\t1\n")
    let set = workspace.path("set")
    let good = await workspace.run("evaluate", "retrieval", set, "--json", "--fail-under", "page_hit@1=.8")
    #expect(good.exitCode == 0, "\(good.error)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
    #expect(report["questions"] as? Int == 1)
    #expect((report["ndcg@10"] as? [String: Any])?["value"] as? Double == 1)
    #expect(await workspace.run("documents", "list", "--json").output.contains("\"documents\" : ["))
    #expect(!(await workspace.run("documents", "list").output.contains("upload")))

    let other = try workspace.write(
      "questions.jsonl",
      #"{"question": "How high?", "answerable": true, "evidence": [{"document": "gone.pdf", "page": 1}]}"#)
    let missing = await workspace.run("evaluate", "retrieval", other, "--fail-under", "page_hit@5=0.1")
    #expect(missing.exitCode == 4)
    #expect(missing.output.contains("1 not judged") && missing.error.contains("could not be measured"))
  }
}
