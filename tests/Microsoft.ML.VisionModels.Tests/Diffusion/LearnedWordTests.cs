using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Tests.Checkpoints;
using Microsoft.ML.VisionModels.Tests.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Textual inversion.</summary>
[Trait("Family", "Diffusion")]
public sealed class LearnedWordTests : IDisposable
{
    private const int Width = 24;       // of the tiny Stable Diffusion's text encoder

    private readonly MLContext _context = new(1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Formats => new()
    {
        { "learned_embeds.safetensors", "<thing>" }, { "learned_embeds.bin", "<thing>" }, { "thing.pt", "thing of the web UI" }, { "thing.safetensors", "thing" }, { "one.bin", "<thing>" },
    };

    /// <summary>The web UI's own files and those of others, and diffusers', of two vectors and of one without a dimension for their number.</summary>
    [Theory, MemberData(nameof(Formats))]
    public void EachFormatIsRead(string name, string token)
    {
        using var scope = NewDisposeScope();
        var vectors = Vectors(2);
        var path = _folder.File(name);
        switch (name)
        {
            case "learned_embeds.safetensors": SafetensorsWriter.Write(path, [(token, vectors)]); break;
            case "learned_embeds.bin": TorchFile.Write(path, new Dictionary<string, object> { [token] = vectors }); break;
            case "thing.safetensors": SafetensorsWriter.Write(path, [("emb_params", vectors)]); break;
            case "one.bin": TorchFile.Write(path, new Dictionary<string, object> { [token] = (vectors = vectors[0]) }); break;
            default:
                TorchFile.Write(path, new Dictionary<string, object>
                {
                    ["string_to_token"] = new Dictionary<string, object> { ["*"] = 265 }, ["string_to_param"] = new Dictionary<string, object> { ["*"] = vectors }, ["name"] = token, ["step"] = 500,
                });
                break;
        }
        ClipTextConfig[] towers = [new() { Width = Width, Heads = 3 }];
        foreach (var place in name.StartsWith("learned", StringComparison.Ordinal) ? new[] { path, _folder.Path } : [path])
        {
            var word = LearnedWord.Read(new(place), towers);
            Assert.Equal(token, word.Token);
            TensorAssert.Close(vectors.reshape(-1, Width), Assert.Single(word.Vectors), 0);
        }
        Assert.Equal("other", LearnedWord.Read(new(path, "other"), towers).Token);
    }

    /// <summary>A word stands for its vectors, wherever it stands; each alone has a number; other words are as before.</summary>
    [Fact]
    public void AWordBecomesTheTokensOfItsVectors()
    {
        var before = TinyVocabulary.Tokenizer();
        var (first, cat, dog) = (before.VocabularySize, Assert.Single(before.EncodeWord("cat")), Assert.Single(before.EncodeWord("dog")));
        var tokenizer = before.With(["<a-Cat>", "<a-Cat>_1", "<a-Cat>_2"]).With(["easy"]);
        Assert.Equal([before.StartToken, cat, first, first + 1, first + 2, dog, before.EndToken], tokenizer.Encode("Cat <a-Cat>dog"));
        Assert.Equal([before.StartToken, first + 2, first + 3, cat, before.EndToken], tokenizer.Encode("<a-Cat>_2 easycat"));
        Assert.Equal(before.Encode("<a-cat> eas y"), tokenizer.Encode("<a-cat> eas y"));
        Assert.Equal([before.StartToken, first, first + 1, before.EndToken], Cut(tokenizer, "<a-Cat> dog", 4));

        tokenizer.SaveFolder(_folder.Path);
        Assert.Equal(tokenizer.Encode("cat <a-Cat>"), ClipTokenizer.Load(_folder.Path).Encode("cat <a-Cat>"));
        Assert.Throws<CheckpointException>(() => tokenizer.With(["easy"]));

        static int[] Cut(ClipTokenizer tokenizer, string text, int length)
        {
            var ids = new long[length];
            tokenizer.Encode(text, ids);
            return [.. ids.Select(id => (int)id)];
        }
    }

    /// <summary>The text tower reads the word's vectors as it reads those of tokens.</summary>
    [Fact]
    public void TheTextEncoderReadsItsVectors()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var plain = DiffusionModel.Open(TinyDiffusion.StableDiffusion);
        using var network = plain.Take();
        var vectors = Vectors(2);
        SafetensorsWriter.Write(_folder.File("word.safetensors"), [("<thing>", vectors)]);
        using var model = DiffusionModel.Open(TinyDiffusion.StableDiffusion, embeddings: [new(_folder.File("word.safetensors"))]);
        using var with = model.Take();
        Assert.Equal(network.Text!.Config.VocabularySize + 2, with.Text!.Config.VocabularySize);

        var (before, after) = (network.Config.Tokenizer(plain.Tokenizer)!, with.Config.Tokenizer(model.Tokenizer)!);
        TensorAssert.Close(network.Text.Read(before.Encode("a cat")).Tokens, with.Text.Read(after.Encode("a cat")).Tokens, 0);
        // The same with the vectors put where two other words stood.
        var ids = before.Encode("a cat dog");
        var place = Array.IndexOf(after.Encode("a <thing>").data<long>().ToArray(), model.Tokenizer!.IdOf("<thing>")!.Value);
        var embeddings = network.Text.Embed(before.Encode("a"));
        embeddings = cat([embeddings[.., ..place], vectors.unsqueeze(0), embeddings[.., place..^2]], 1);
        using var trace = new Trace("last_hidden_state");
        var text = network.Text.FromEmbeddings(embeddings, ids, trace);
        TensorAssert.Close(trace["last_hidden_state"], with.Text.Read(after.Encode("a <thing>")).Tokens);
        // A number above the end token's does not become the end of the text.
        Assert.Equal(ClipTextPooling.HighestToken, network.Text.Config.Pooling);
        TensorAssert.Close(network.Text.forward(before.Encode("a cat")), with.Text.forward(after.Encode("a cat")), 0);
        using var traced = new Trace("last_hidden_state");
        var own = with.Text.forward(after.Encode("a <thing>"), traced);
        TensorAssert.Close(traced["last_hidden_state"][0, place + 2], own[0]);
    }

    [Fact]
    public void PromptsUseLearnedWordsAndModelFilesKeepThem()
    {
        using (NewDisposeScope())
        {
            SafetensorsWriter.Write(_folder.File("word.safetensors"), [("<thing>", Vectors(3))]);
            SafetensorsWriter.Write(_folder.File("same.safetensors"), [("emb_params", Vectors(3))]);
        }
        var rows = _context.Data.LoadFromEnumerable(new[] { new Row() });
        var plain = Pixels(Fit([]));
        using var model = Fit([new(_folder.File("word.safetensors"))]);
        var made = Pixels(model);
        Assert.NotEqual(plain, made);
        Assert.Equal(made, Pixels(Fit([new(_folder.File("same.safetensors"), "<thing>")])));
        Assert.Equal(plain, Pixels(Fit([new(_folder.File("same.safetensors"))])));       // called "same", which the prompt does not say
        _context.Model.Save(model, rows.Schema, _folder.File("model.zip"));
        var loaded = new MLContext().Model.Load(_folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        Assert.Equal(made, Pixels(loaded));

        DiffusionTransformer Fit(DiffusionEmbedding[] embeddings) => Generator(embeddings).Fit(rows);

        byte[] Pixels(ITransformer model) => ImageDecoder.FromMLImage(model.Transform(rows).GetColumn<MLImage>("GeneratedImage").Single()).Pixels;
    }

    /// <summary>SDXL's two text encoders have vectors of their own.</summary>
    [Fact]
    public void AWordOfXlHasVectorsForBothTextEncoders()
    {
        using var scope = NewDisposeScope();
        TinyDiffusion.WriteXl(_folder.File("xl"));
        var (first, second) = (randn(2, 64), randn(2, 64));
        SafetensorsWriter.Write(_folder.File("thing.safetensors"), [("clip_l", first), ("clip_g", second)]);
        using var model = DiffusionModel.Open(_folder.File("xl"), embeddings: [new(_folder.File("thing.safetensors"))]);
        using var network = model.Take();
        var id = tensor((long)model.Tokenizer!.IdOf("thing")!.Value).view(1, 1);
        TensorAssert.Close(first[0], network.Text!.Embed(id)[0, 0], 0);
        TensorAssert.Close(second[0], network.SecondText!.Embed(id)[0, 0], 0);

        SafetensorsWriter.Write(_folder.File("single.safetensors"), [("<thing>", first)]);
        Assert.Contains("1 text encoder, but the model has 2", Assert.Throws<CheckpointException>(() => DiffusionModel.Open(_folder.File("xl"), embeddings: [new(_folder.File("single.safetensors"))])).Message);
    }

    [Fact]
    public void WhatIsNoWordForTheModelIsRefused()
    {
        using var scope = NewDisposeScope();
        Refused("32 numbers, but those of the model's text encoder 24", ("<thing>", zeros(1, 32)));
        Refused("no vectors", ("<thing>", zeros(1, 1, Width)));
        Refused("holds 2 tensors, 'a', 'b'", ("a", zeros(1, Width)), ("b", zeros(1, Width)));
        Refused("a token 'cat</w>' already", ("cat</w>", zeros(1, Width)));
        Assert.Throws<FileNotFoundException>(() => Generator([new(_folder.File("nowhere.pt"))]).Fit(_context.Data.LoadFromEnumerable(new[] { new Row() })));
        Assert.Contains("Token", Assert.Throws<ArgumentException>(() => Generator([new("word.pt", "")])).Message);

        void Refused(string message, params (string, Tensor)[] tensors)
        {
            SafetensorsWriter.Write(_folder.File("word.safetensors"), tensors);
            Assert.Contains(message, Assert.Throws<CheckpointException>(() => Generator([new(_folder.File("word.safetensors"))]).Fit(_context.Data.LoadFromEnumerable(new[] { new Row() }))).Message);
        }
    }

    private static Tensor Vectors(int count)
    {
        using var generator = new Generator(7);
        return randn([count, Width], generator: generator);
    }

    private VisionEstimator<DiffusionTransformer> Generator(DiffusionEmbedding[] embeddings) => _context.Transforms.DiffusionGenerator(new DiffusionGeneratorOptions
    {
        Checkpoint = TinyDiffusion.StableDiffusion, Embeddings = embeddings, Device = "cpu", Sampling = new() { Steps = 2, Height = 16, Width = 16 },
    });

    private sealed class Row
    {
        public string Prompt { get; set; } = "a <thing> and a cat";
    }
}
