using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Tests.Text;

public class ClipTokenizerFileTests
{
    private const string Text = "The cat's dog & 42 éclairs <|endoftext|> aaaaaaa 世界 &amp;";

    [Theory]
    [InlineData(ClipTextCleaning.HuggingFace)]
    [InlineData(ClipTextCleaning.OpenAI)]
    public void TextsReadBackEqual(ClipTextCleaning cleaning)
    {
        var tokenizer = TinyVocabulary.Tokenizer(cleaning);
        var (vocabulary, merges) = tokenizer.ToTexts();
        var back = ClipTokenizer.FromTexts(vocabulary, merges, cleaning);
        AssertEqual(tokenizer, back);
        Assert.Equal((vocabulary, merges), back.ToTexts());
        Assert.StartsWith("#version: 0.2\nc a\nca t</w>\n", merges, StringComparison.Ordinal);
        Assert.StartsWith("""{"!":0,""", vocabulary, StringComparison.Ordinal);
    }

    [Fact]
    public void AVocabularyOfBytesAloneReadsBackEqual()
    {
        var tokenizer = ClipTokenizer.Learn([], 514);
        Assert.Equal(514, tokenizer.VocabularySize);
        var (vocabulary, merges) = tokenizer.ToTexts();
        AssertEqual(tokenizer, ClipTokenizer.FromTexts(vocabulary, merges, ClipTextCleaning.HuggingFace));
    }

    [Fact]
    public void AFolderReadsBackEqual()
    {
        using var folder = TestFolders.Temporary();
        var tokenizer = TinyVocabulary.Tokenizer();
        tokenizer.SaveFolder(folder.File("new"), maxLength: 32);
        foreach (var path in new[] { "new", "new/vocab.json", "new/merges.txt" })
            AssertEqual(tokenizer, ClipTokenizer.Load(folder.File(path)));

        var config = Read(folder.File("new/tokenizer_config.json"));
        Assert.Equal("CLIPTokenizer", config.GetProperty("tokenizer_class").GetString());
        Assert.Equal(32, config.GetProperty("model_max_length").GetInt32());
        foreach (var file in new[] { config, Read(folder.File("new/special_tokens_map.json")) })
            Assert.Equal(["<|startoftext|>", "<|endoftext|>", "<|endoftext|>", "<|endoftext|>"],
                new[] { "bos_token", "eos_token", "unk_token", "pad_token" }.Select(name => file.GetProperty(name).GetString()));
        Assert.Equal(4, Directory.GetFiles(folder.File("new")).Length);
    }

    [Fact]
    public void AFolderKeepsHowTextsAreCleaned()
    {
        using var folder = TestFolders.Temporary();
        var tokenizer = TinyVocabulary.Tokenizer(ClipTextCleaning.OpenAI);
        tokenizer.SaveFolder(folder.Path);
        AssertEqual(tokenizer, ClipTokenizer.Load(folder.Path));
        Assert.Equal(ClipTextCleaning.HuggingFace, ClipTokenizer.Load(folder.Path, ClipTextCleaning.HuggingFace).Cleaning);
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"text_cleaning": "some"}""");
        Assert.Contains("'some'", Assert.Throws<CheckpointException>(() => ClipTokenizer.Load(folder.Path)).Message);
    }

    [Fact]
    public void OpenAIsFileIsRead()
    {
        using var folder = TestFolders.Temporary();
        var tokenizer = TinyVocabulary.Tokenizer(ClipTextCleaning.OpenAI);
        WriteGzip(folder.File("bpe_simple_vocab_16e6.txt.gz"), "\"bpe_simple_vocab_16e6.txt" + tokenizer.ToTexts().Merges);
        AssertEqual(tokenizer, ClipTokenizer.Load(folder.Path));
        AssertEqual(tokenizer, ClipTokenizer.Load(folder.File("bpe_simple_vocab_16e6.txt.gz")));
        Assert.Equal(ClipTextCleaning.HuggingFace, ClipTokenizer.Load(folder.Path, ClipTextCleaning.HuggingFace).Cleaning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TokenizerJsonIsRead(bool pairs)
    {
        using var folder = TestFolders.Temporary();
        var tokenizer = TinyVocabulary.Tokenizer();
        File.WriteAllText(folder.File("tokenizer.json"), TokenizerJson(pairs: pairs));
        File.WriteAllText(folder.File("vocab.json"), "not what is read");
        AssertEqual(tokenizer, ClipTokenizer.Load(folder.Path));
    }

    [Fact]
    public void SpecialTokensMayStandAmongTheAddedOnes()
    {
        using var folder = TestFolders.Temporary();
        var vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(TinyVocabulary.Tokenizer().ToTexts().Vocabulary)!;
        var (start, end) = (vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]);
        vocabulary.Remove("<|startoftext|>");
        vocabulary.Remove("<|endoftext|>");
        var added = $$"""[{"id": {{start}}, "content": "<|startoftext|>"}, {"id": {{end}}, "content": "<|endoftext|>"}]""";
        File.WriteAllText(folder.File("tokenizer.json"), TokenizerJson(vocabulary: JsonSerializer.Serialize(vocabulary), added: added));
        AssertEqual(TinyVocabulary.Tokenizer(), ClipTokenizer.Load(folder.Path));
    }

    [Fact]
    public void WhatTheVocabularyLacksIsTheEndToken()
    {
        var tokenizer = ClipTokenizer.FromTexts("""{"<|startoftext|>": 0, "<|endoftext|>": 1, "a": 2, "a</w>": 3, "aa</w>": 4}""", "a a</w>", ClipTextCleaning.HuggingFace);
        Assert.Equal([0, 4, 2, 1, 1], tokenizer.Encode("aa ab"));
    }

    [Fact]
    public void MissingFilesAreNamed()
    {
        using var folder = TestFolders.Temporary();
        var nothing = Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(folder.Path));
        foreach (var name in new[] { folder.Path, "tokenizer.json", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz" })
            Assert.Contains(name, nothing.Message, StringComparison.Ordinal);

        File.WriteAllText(folder.File("vocab.json"), "{}");
        Assert.Contains(folder.File("merges.txt"), Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains(folder.File("a.json"), Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(folder.File("a.json"))).Message, StringComparison.Ordinal);
        Assert.Contains(folder.File("a.gz"), Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(folder.File("a.gz"))).Message, StringComparison.Ordinal);
    }

    private const string Special = "\"<|startoftext|>\": 0, \"<|endoftext|>\": 1";

    [Theory]
    [InlineData("no JSON", " ", "a b", "not valid JSON")]
    [InlineData("half", "{\"a\": ", "a b", "not valid JSON")]
    [InlineData("deep", "DEEP", "a b", "not valid JSON")]
    [InlineData("a lone surrogate", "{\"\\ud800\": 0}", "a b", "not valid JSON")]
    [InlineData("a list", "[1]", "a b", "no vocabulary")]
    [InlineData("a text for a number", "{\"a\": \"0\"}", "a b", "'a' does not fit")]
    [InlineData("half a number", "{\"a\": 0.5}", "a b", "'a' does not fit")]
    [InlineData("a negative number", "{\"a\": -1}", "a b", "'a' does not fit")]
    [InlineData("a huge number", "{\"a\": 99999999999}", "a b", "'a' does not fit")]
    [InlineData("a hole", "{\"a\": 0, \"b\": 2}", "a b", "'b' does not fit")]
    [InlineData("a number twice", "{\"a\": 0, \"b\": 0}", "a b", "'b' does not fit")]
    [InlineData("a token twice", "{\"a\": 0, \"a\": 1}", "a b", "'a' twice")]
    [InlineData("nothing", "{}", "\n", "no merges")]
    [InlineData("no merges", "{" + Special + "}", "#version: 0.2\n", "no merges")]
    [InlineData("a merge of one", "{" + Special + "}", "ab", "two tokens")]
    [InlineData("a merge of three", "{" + Special + "}", "a b c", "two tokens")]
    [InlineData("a merge of nothing", "{" + Special + "}", "a ", "two tokens")]
    [InlineData("an unknown part", "{" + Special + ", \"b\": 2, \"ab\": 3}", "a b", "'a' is not in the vocabulary")]
    [InlineData("an unknown result", "{" + Special + ", \"a\": 2, \"b\": 3}", "a b", "'ab' is not in the vocabulary")]
    [InlineData("no start", "{\"<|endoftext|>\": 0, \"a\": 1, \"aa\": 2}", "a a", "no token <|startoftext|>")]
    [InlineData("no end", "{\"<|startoftext|>\": 0, \"a\": 1, \"aa\": 2}", "a a", "no token <|endoftext|>")]
    public void MalformedPairsAreRefused(string what, string vocabulary, string merges, string message)
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("vocab.json"), vocabulary == "DEEP" ? string.Concat(Enumerable.Repeat("{\"a\":", 100_000)) : vocabulary);
        File.WriteAllText(folder.File("merges.txt"), merges);
        var refused = Assert.Throws<CheckpointException>(() => ClipTokenizer.Load(folder.Path));
        Assert.True(refused.Message.Contains(message, StringComparison.Ordinal) && refused.Message.Contains(folder.Path, StringComparison.Ordinal), $"{what}: {refused.Message}");
    }

    [Theory]
    [InlineData("[]", "no object 'model'")]
    [InlineData("{}", "no object 'model'")]
    [InlineData("""{"model": []}""", "no object 'model'")]
    [InlineData("""{"model": {"type": "WordPiece", "vocab": {}}}""", "'WordPiece'")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": null, "vocab": {}, "merges": []}}""", "end_of_word_suffix")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "continuing_subword_prefix": "##"}}""", "continuing_subword_prefix")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>"}}""", "no vocabulary")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}}}""", "no merges")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}, "merges": {}}}""", "no list of merges")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}, "merges": [1]}}""", "two tokens")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}, "merges": [["a"]]}}""", "two tokens")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}, "merges": [["a", 1]]}}""", "two tokens")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0, "aa": 1}, "merges": ["a a"]}, "added_tokens": [1, {"id": 0}]}""", "no token <|startoftext|>")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}, "merges": []}, "added_tokens": [{"id": "x", "content": "b"}]}""", "'b' does not fit")]
    public void MalformedTokenizersAreRefused(string json, string message)
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("tokenizer.json"), json);
        var refused = Assert.Throws<CheckpointException>(() => ClipTokenizer.Load(folder.Path));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Contains(folder.File("tokenizer.json"), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MalformedArchivesAreRefused()
    {
        using var folder = TestFolders.Temporary();
        var whole = folder.File("whole.gz");
        WriteGzip(whole, TinyVocabulary.Tokenizer().ToTexts().Merges);
        var bytes = File.ReadAllBytes(whole);
        (string Name, byte[] Bytes)[] files =
        [
            ("not-gzip.gz", [.. "#version"u8]),
            ("cut.gz", bytes[..^12]),
            ("damaged.gz", [.. bytes[..20], .. bytes[20..].Select(value => (byte)~value)]),
        ];
        foreach (var (name, content) in files)
            File.WriteAllBytes(folder.File(name), content);
        WriteGzip(folder.File("nothing.gz"), "");
        WriteGzip(folder.File("header.gz"), "#version: 0.2\n");
        WriteGzip(folder.File("words.gz"), "#version: 0.2\nsome words here\n");
        WriteGzip(folder.File("bomb.gz"), new string('a', 100_000_000));

        foreach (var name in files.Select(file => file.Name).Concat(["nothing.gz", "header.gz", "words.gz", "bomb.gz"]))
            Assert.Contains(name, Assert.Throws<CheckpointException>(() => ClipTokenizer.Load(folder.File(name))).Message, StringComparison.Ordinal);
    }

    private static void AssertEqual(ClipTokenizer expected, ClipTokenizer actual)
    {
        Assert.Equal((expected.VocabularySize, expected.StartToken, expected.EndToken, expected.Cleaning), (actual.VocabularySize, actual.StartToken, actual.EndToken, actual.Cleaning));
        Assert.Equal(expected.Encode(Text), actual.Encode(Text));
    }

    private static string TokenizerJson(string? vocabulary = null, bool pairs = false, string added = "[]")
    {
        var (tokens, lines) = TinyVocabulary.Tokenizer().ToTexts();
        var merges = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..].Select(line => pairs ? JsonSerializer.Serialize(line.Split(' ')) : JsonSerializer.Serialize(line));
        return $$$"""{"added_tokens": {{{added}}}, "model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {{{vocabulary ?? tokens}}}, "merges": [{{{string.Join(',', merges)}}}]}}""";
    }

    private static void WriteGzip(string path, string text)
    {
        using var writer = new StreamWriter(new GZipStream(File.Create(path), CompressionLevel.Fastest));
        writer.Write(text);
    }

    private static JsonElement Read(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
