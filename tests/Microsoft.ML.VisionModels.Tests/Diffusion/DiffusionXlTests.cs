using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Tests.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Stable Diffusion XL as a whole: its networks are compared with the reference's elsewhere, here it is how they go together.</summary>
[Trait("Family", "Diffusion")]
public sealed class DiffusionXlTests : IDisposable
{
    private readonly MLContext _context = new(1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    /// <summary>The U-Net is asked what the parts, put together by hand, ask it.</summary>
    [Theory]
    [InlineData(0, "")]
    [InlineData(0, "a dog")]
    [InlineData(1, "a dog")]
    public void TheUNetIsToldOfBothTextEncodersAndOfSizes(int clipSkip, string negative)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        TinyDiffusion.WriteXl(_folder.Path);
        using var model = DiffusionModel.Open(_folder.Path);
        using var network = model.Take();
        Assert.Equal(new ImageSize(16, 16), network.Config.ImageSize);
        var sizes = new DiffusionSizes { OriginalHeight = 40, OriginalWidth = 50, CropTop = 3, CropLeft = 4, TargetWidth = 60 };
        var sampler = new DiffusionSampler(network, network.Config.Tokenizer(model.Tokenizer), new() { Steps = 2, Width = 24, ClipSkip = clipSkip, Sizes = sizes }, CPU, ScalarType.Float32);
        sampler.Validate();
        using var noise = new SeededNoise([1, 2]);
        using var trace = new Trace();
        sampler.Generate([new(1) { Prompt = "a cat", NegativePrompt = negative }, new(2) { Prompt = "two cats", NegativePrompt = negative }], noise, null, TestContext.Current.CancellationToken, trace);

        var published = PublishedDiffusion.Open(_folder.Path);
        var (words, texts) = (new List<Tensor>(), zeros(0));
        for (var index = 0; index < 2; index++)
        {
            using var tower = published.OpenTextEncoder(index);
            var tokenizer = published.OpenTokenizer(tower.Config, index);
            Assert.Equal(index == 0 ? tokenizer.Tokenizer.EndToken : tokenizer.Tokenizer.IdOf("!"), Assert.Single(tokenizer.Paddings));
            var (wanted, text) = Read(tower, tokenizer.Encode("a cat", "two cats"), clipSkip);
            var (unwanted, other) = Read(tower, tokenizer.Encode(negative, negative), 0);
            if (negative == "")
                (unwanted, other) = (zeros_like(unwanted), zeros_like(other));
            words.Add(cat([unwanted, wanted]));
            texts = cat([other, text]);         // the second tower's
        }
        TensorAssert.Close(cat(words, 2), trace["prompt_embeds"], 2e-5);     // a text that comes twice is read once
        using var unet = published.OpenUNet();
        using var scheduler = sampler.Scheduler.Create(2);
        var guidance = new UNetGuidance { Words = cat(words, 2), Text = texts, Sizes = tensor(new float[] { 40, 50, 3, 4, 16, 60 }).expand(4, -1) };
        TensorAssert.Close(unet.forward(trace["0.unet_input"], tensor(scheduler.Timesteps[0]).view(1), guidance), trace["0.noise_pred"], 2e-5);

        static (Tensor Words, Tensor Text) Read(ClipTextNetwork tower, Tensor ids, int skip)
        {
            using var hidden = new Trace($"hidden_states.{tower.Config.Depth - 1 - skip}");
            var text = tower.forward(ids, hidden);
            return (hidden.Tensors.Values.Single().clone(), text);
        }
    }

    [Fact]
    public void SizesAndWordsChangeTheImage()
    {
        TinyDiffusion.WriteXl(_folder.Path);
        var (plain, how) = Generate(_ => { });
        Assert.Equal([16, 16, 0, 0, 16, 16], JsonSerializer.Deserialize<JsonElement>(how).GetProperty("sizes").EnumerateArray().Select(side => side.GetInt32()));
        AssertSame(true, new() { OriginalHeight = 16, OriginalWidth = 16, TargetHeight = 16, TargetWidth = 16 });
        AssertSame(false, new() { OriginalHeight = 900 });
        AssertSame(false, new() { OriginalWidth = 900 });
        AssertSame(false, new() { CropTop = 300 });
        AssertSame(false, new() { CropLeft = 300 });
        AssertSame(false, new() { TargetHeight = 900 });
        AssertSame(false, new() { TargetWidth = 900 });
        // Nothing is zeros, which no text is.
        Assert.NotEqual(plain, Generate(options => options.NegativePromptColumnName = nameof(Row.Negative)).Pixels);
        Assert.Equal(plain, Generate(options => options.NegativePromptColumnName = nameof(Row.Empty)).Pixels);
        Assert.NotEqual(plain, Generate(options => options.PromptColumnName = nameof(Row.Negative)).Pixels);

        void AssertSame(bool same, DiffusionSizes sizes) => Assert.Equal(same, plain.SequenceEqual(Generate(options => options.Sampling.Sizes = sizes).Pixels));
    }

    [Fact]
    public void ASavedModelMakesTheSameImage()
    {
        TinyDiffusion.WriteXl(_folder.Path);
        var rows = _context.Data.LoadFromEnumerable(new[] { new Row() });
        using var model = Fit(rows, options => options.Sampling.Sizes = new() { CropTop = 300 });
        _context.Model.Save(model, rows.Schema, _folder.File("model.zip"));
        var loaded = new MLContext().Model.Load(_folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        Assert.Equal(Pixels(model.Transform(rows)), Pixels(loaded.Transform(rows)));
    }

    [Fact]
    public void ASingleFileMakesTheImageOfTheFolder()
    {
        TinyDiffusion.WriteXl(_folder.Path);
        TinyDiffusion.WriteXlFile(_folder.File("xl.safetensors"));
        var file = Generate(options =>
        {
            (options.Checkpoint, options.Tokenizer) = (_folder.File("xl.safetensors"), _folder.File("tokenizer"));
            (options.Sampling.Height, options.Sampling.Width) = (16, 16);     // no tensor tells them
        }).Pixels;
        Assert.InRange(Generate(_ => { }).Pixels.Zip(file, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
    }

    [Fact]
    public void ItGoesOnLearning()
    {
        TinyDiffusion.WriteXl(_folder.Path);
        var options = new DiffusionTrainerOptions
        {
            Checkpoint = _folder.Path, CaptionColumnName = nameof(Row.Prompt), ImageColumnName = nameof(Row.Image), Steps = 2, BatchSize = 4, ConditionDropout = 0.5, LearningRate = 1e-3, Device = "cpu",
            Sampling = new() { Steps = 2 },
        };
        var image = _folder.File("image.png");
        TestImages.Save(TestImages.Noise(16, 16), image);
        var rows = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(_ => new Row { Image = image }));
        using var model = _context.Transforms.DiffusionTrainer(options).Fit(rows);
        using var published = DiffusionModel.Open(_folder.Path);
        using var before = published.Take();
        using var use = model.Model.Use();
        var now = use.Module.state_dict();
        Assert.All(before.state_dict().Where(entry => entry.Value.dim() > 1), entry => Assert.Equal(!entry.Key.StartsWith("unet.", StringComparison.Ordinal), entry.Value.equal(now[entry.Key]).all().item<bool>()));
        Assert.Single(model.Transform(_context.Data.TakeRows(rows, 1)).GetColumn<MLImage>("GeneratedImage"));
    }

    [Fact]
    public void WhatDoesNotGoTogetherIsSaid()
    {
        TinyDiffusion.WriteXl(_folder.Path, index => index["text_encoder"] = new System.Text.Json.Nodes.JsonArray(null, null));
        Assert.Contains("cross_attention_dim", Refused());
        Alter("unet/config.json", "[128,128]", "[64,64]");
        Alter("unet/config.json", "\"projection_class_embeddings_input_dim\":1546", "\"projection_class_embeddings_input_dim\":1290");
        var weights = _folder.File("unet/diffusion_pytorch_model.safetensors");
        using (var refiner = TinyDiffusion.Drawn(TinyDiffusion.XlUNet with { ContextWidths = [64, 64], ProjectionWidth = 1290 }))
            Microsoft.ML.VisionModels.Checkpoints.CheckpointLoader.Save(refiner, DiffusersDialect.UNet(refiner.Config), weights);
        Assert.Contains("refiner", Refused());

        TinyDiffusion.WriteXl(_folder.File("other"));
        using (var narrow = TinyDiffusion.Drawn(TinyDiffusion.XlUNet with { ProjectionWidth = 1290 }))
            Microsoft.ML.VisionModels.Checkpoints.CheckpointLoader.Save(narrow, DiffusersDialect.UNet(narrow.Config), _folder.File("other/unet/diffusion_pytorch_model.safetensors"));
        Alter("other/unet/config.json", ":1546", ":1290");
        Assert.Contains("projection_class_embeddings_input_dim", Refused("other"));
        TinyDiffusion.WriteXl(_folder.File("third"));
        Alter("third/tokenizer_2/tokenizer_config.json", "\"model_max_length\": 77", "\"model_max_length\": 70");
        Assert.Contains("model_max_length", Refused("third"));

        string Refused(string folder = "") => Assert.Throws<CheckpointException>(() => Fit(_context.Data.LoadFromEnumerable(new[] { new Row() }), options => options.Checkpoint = _folder.File(folder))).Message;

        void Alter(string file, string from, string to)
        {
            var text = File.ReadAllText(_folder.File(file));
            Assert.Contains(from, text);
            File.WriteAllText(_folder.File(file), text.Replace(from, to, StringComparison.Ordinal));
        }
    }

    private DiffusionTransformer Fit(IDataView rows, Action<DiffusionGeneratorOptions> change)
    {
        var options = new DiffusionGeneratorOptions { Checkpoint = _folder.Path, ParametersColumnName = "How", Device = "cpu", Sampling = new() { Steps = 2 } };
        change(options);
        return _context.Transforms.DiffusionGenerator(options).Fit(rows);
    }

    private (byte[] Pixels, string How) Generate(Action<DiffusionGeneratorOptions> change)
    {
        var rows = _context.Data.LoadFromEnumerable(new[] { new Row() });
        using var model = Fit(rows, change);
        var made = model.Transform(rows);
        return (Pixels(made), made.GetColumn<string>("How").Single());
    }

    private static byte[] Pixels(IDataView made) => ImageDecoder.FromMLImage(made.GetColumn<MLImage>("GeneratedImage").Single()).Pixels;

    private sealed class Row
    {
        public string Prompt { get; set; } = "a cat";
        public string Negative { get; set; } = "a dog";
        public string Empty { get; set; } = "";
        public string Image { get; set; } = "";
    }
}
