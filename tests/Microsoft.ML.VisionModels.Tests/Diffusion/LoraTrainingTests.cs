using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Training of LoRAs.</summary>
[Trait("Family", "Diffusion")]
public sealed class LoraTrainingTests : IDisposable
{
    private readonly MLContext _context = new(1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ItBeginsWithWhatTheCheckpointTells()
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var plain = DiffusionModel.Open(TinyDiffusion.StableDiffusion);
        using var network = plain.Take();
        using var generator = new Generator(2);
        var (sample, times, words) = (randn([2, 4, 4, 4], generator: generator), tensor(new long[] { 10, 500 }), randn([2, 77, 24], generator: generator));
        var before = network.UNet.forward(sample, times, new() { Words = words });
        var count = network.UNet.state_dict().Count;
        network.AddLora(new() { Rank = 3, Alpha = 6 }, generator);
        Assert.True(network.UNet.state_dict().Count > count);
        Assert.True(before.equal(network.UNet.forward(sample, times, new() { Words = words })).all().item<bool>());
    }

    /// <summary>All that was learned is in its file: merged into the checkpoint, it makes the images of the fitted model.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(8.0)]
    public void TheCheckpointWithItsFileIsTheFittedModel(double? alpha)
    {
        using var scope = NewDisposeScope();
        using var model = _context.Transforms.DiffusionTrainer(Options(alpha)).Fit(Images());
        var file = _folder.File("lora.safetensors");
        model.SaveLora(file);
        using (var lora = new LoraFile(file))
        {
            Assert.All(lora.Layers.Keys, layer => Assert.Matches(@"^unet\..*attn[12]\.(to_q|to_k|to_v|to_out\.0)$", layer));
            Assert.All(lora.Layers.Values, layer => Assert.Equal(4, lora.ShapesOf(layer).Down[0]));
            Assert.All(lora.Layers, layer => Assert.True(lora.Difference(layer.Value).abs().max().item<float>() > 0, $"{layer.Key} learned nothing."));
        }

        // Nothing else was changed.
        using (var published = DiffusionModel.Open(TinyDiffusion.StableDiffusion))
        using (var before = published.Take())
        using (var use = model.Model.Use())
        {
            var now = use.Module.state_dict();
            Assert.All(before.state_dict(), entry => Assert.True(entry.Value.equal(now[entry.Key]).all().item<bool>(), entry.Key));
            Assert.All(now.Keys.Except(before.state_dict().Keys), name => Assert.True(TrainedLora.Has(name)));
        }

        var made = Pixels(model);
        var merged = Pixels(Generator(new DiffusionLora(file)));
        Assert.InRange(made.Zip(merged, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        Assert.InRange(made.Zip(Pixels(Generator()), (a, b) => Math.Abs(a - b)).Max(), 3, 255);

        // A model file keeps it apart from the weights.
        var zip = _folder.File("model.zip");
        _context.Model.Save(model, Images().Schema, zip);
        var loaded = new MLContext().Model.Load(zip, out _);
        using var owned = loaded as IDisposable;
        Assert.Equal(made, Pixels(loaded));
        Assert.IsType<DiffusionTransformer>(loaded).SaveLora(_folder.File("again.safetensors"));
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.File("again.safetensors")));
    }

    /// <summary>A training that is stopped and goes on learns what one learns that was not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AStoppedTrainingGoesOnToTheSameLora(bool gradientCheckpointing)
    {
        using var stop = new CancellationTokenSource();
        var straight = Lora(null);
        var interrupted = Lora(options => (options.SnapshotFolder, options.CancellationToken, options.Watch) = (_folder.File("snapshots"), stop.Token, new StopsAt(3, stop)));
        Assert.NotEqual(straight, interrupted);
        Assert.Equal(straight, Lora(options => options.SnapshotFolder = _folder.File("snapshots")));

        byte[] Lora(Action<DiffusionTrainerOptions>? change)
        {
            var options = Options(null);
            (options.Steps, options.EmaDecay, options.GradientCheckpointing) = (6, 0.9, gradientCheckpointing);
            change?.Invoke(options);
            using var model = new MLContext(1).Transforms.DiffusionTrainer(options).Fit(Images());
            model.SaveLora(_folder.File("some.safetensors"));
            return File.ReadAllBytes(_folder.File("some.safetensors"));
        }
    }

    [Fact]
    public void WhatMakesNoLoraIsSaid()
    {
        Refused("LoraRank is 0", options => options.LoraRank = 0);
        Refused("LoraAlpha is 0", options => options.LoraAlpha = 0);
        Refused("no Checkpoint", options => options.Checkpoint = null);
        Refused("no LoraRank", options => (options.LoraRank, options.LoraAlpha) = (null, 4));
        using var model = Generator();
        Assert.Contains("LoraRank", Assert.Throws<InvalidOperationException>(() => model.SaveLora(_folder.File("none.safetensors"))).Message);
        Assert.Equal(1e-4, new DiffusionTrainerOptions { Checkpoint = "any", LoraRank = 4 }.LearningRate);

        void Refused(string message, Action<DiffusionTrainerOptions> change)
        {
            var options = Options(null);
            change(options);
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => _context.Transforms.DiffusionTrainer(options)).Message);
        }
    }

    private static DiffusionTrainerOptions Options(double? alpha) => new()
    {
        Checkpoint = TinyDiffusion.StableDiffusion, LoraRank = 4, LoraAlpha = alpha, CaptionColumnName = nameof(Row.Prompt), ImageSize = 16, BatchSize = 4, Steps = 12, LearningRate = 1e-2, Device = "cpu",
        Sampling = new() { Steps = 3, GuidanceScale = 3, Height = 16, Width = 16 },
    };

    private DiffusionTransformer Generator(params DiffusionLora[] loras) => _context.Transforms.DiffusionGenerator(new DiffusionGeneratorOptions
    {
        Checkpoint = TinyDiffusion.StableDiffusion, Loras = loras, Device = "cpu", Sampling = Options(null).Sampling,
    }).Fit(Images());

    private byte[] Pixels(ITransformer model) => ImageDecoder.FromMLImage(model.Transform(_context.Data.TakeRows(Images(), 1)).GetColumn<MLImage>("GeneratedImage").Single()).Pixels;

    private IDataView Images() => _context.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i =>
    {
        var file = _folder.File($"{i}.png");
        if (!File.Exists(file))
            TestImages.Save(TestImages.Noise(16, 16, seed: i), file);
        return new Row { Image = file, Prompt = i % 2 == 0 ? "a cat" : "a dog" };
    }).ToList());

    private sealed class Row
    {
        public string Image { get; set; } = "";
        public string Prompt { get; set; } = "";
    }

    private sealed class StopsAt(long step, CancellationTokenSource stop) : ITrainingCallback
    {
        public void OnStepEnd(TrainingState state)
        {
            if (state.GlobalStep == step)
                stop.Cancel();
        }
    }
}
