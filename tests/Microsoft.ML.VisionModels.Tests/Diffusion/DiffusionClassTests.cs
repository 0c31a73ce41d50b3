using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Models of classes, and of variances.</summary>
[Trait("Family", "Diffusion")]
public sealed class DiffusionClassTests : IDisposable
{
    private const int Classes = 5;

    private static readonly UNetConfig s_unet = new()
    {
        SampleSize = 8, Channels = [8, 8], Layers = [1, 1], Down = [StageAttention.None, StageAttention.None], Up = [StageAttention.None, StageAttention.None], Heads = [1, 1], Depths = [1, 1],
        OnlyCrossAttention = [false, false], NormGroups = 4, ClassEmbedding = ClassEmbedding.Table, Classes = Classes,
    };

    private readonly MLContext _context = new(1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    /// <summary>A key without values is the number that ML.NET makes it of, from objects as from files: the first key is 0.</summary>
    [Fact]
    public void AKeyWithoutValuesIsTheClassThatWasMeant()
    {
        SaveModel();
        Row[] rows = [.. Enumerable.Range(0, Classes).Select(i => new Row { Number = i, Key = (uint)i, Text = $"{i}" })];
        var numbers = Generate(nameof(Row.Number), _context.Data.LoadFromEnumerable(rows));
        Assert.Equal(Classes, numbers.Select(made => Convert.ToHexString(made.Pixels)).Distinct().Count());
        Assert.Equal([0, 1, 2, 3, 4], numbers.Select(made => made.Class));
        AssertSame(numbers, Generate(nameof(Row.Key), _context.Data.LoadFromEnumerable(rows)));
        AssertSame(numbers, Generate(nameof(Row.Text), _context.Data.LoadFromEnumerable(rows)));

        // What a text loader makes of the same numbers, and keys whose values are the numbers, in another order.
        File.WriteAllLines(_folder.File("rows.txt"), rows.Select(row => row.Text));
        var loaded = _context.Data.LoadFromTextFile(_folder.File("rows.txt"), [new TextLoader.Column("Key", DataKind.UInt32, [new(0)], new KeyCount(Classes))]);
        AssertSame(numbers, Generate("Key", loaded));
        var reversed = _context.Data.LoadFromEnumerable(rows.Reverse());
        AssertSame([.. numbers.AsEnumerable().Reverse()], Generate("Named", _context.Transforms.Conversion.MapValueToKey("Named", nameof(Row.Text)).Fit(reversed).Transform(reversed)));

        static void AssertSame((byte[] Pixels, int Class)[] expected, (byte[] Pixels, int Class)[] actual)
        {
            Assert.Equal(expected.Select(made => made.Class), actual.Select(made => made.Class));
            Assert.Equal(expected.Select(made => made.Pixels), actual.Select(made => made.Pixels));
        }
    }

    /// <summary>Guidance leads the mean alone: what the network says of the variance is said of the class that is wanted.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.7)]
    public void TheVarianceIsNotLed(double rescale)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var generator = new Generator(4);
        var config = new DiffusionConfig { UNet = s_unet with { OutputChannels = 6 }, ImageSize = 8, NoClass = Classes - 1, Scheduler = new() { Scheduler = DiffusionScheduler.Ddim } };
        using var network = new DiffusionNetwork(config, TinyDiffusion.Drawn(config.UNet), null, null);
        var sampler = new DiffusionSampler(network, null, new() { Steps = 2, GuidanceScale = 3, GuidanceRescale = rescale }, CPU, ScalarType.Float32);
        using var noise = new SeededNoise([1, 2]);
        using var trace = new Trace();
        sampler.Generate([new(1) { Class = 0 }, new(2) { Class = 1 }], noise, null, TestContext.Current.CancellationToken, trace);

        var (said, guided) = (trace["0.noise_pred"], trace["0.guided"]);         // [4, 6, 8, 8], [2, 6, 8, 8]
        TensorAssert.Close(said[2.., 3..], guided[.., 3..], 0);
        var (without, with) = (said[..2, ..3], said[2.., ..3]);
        var led = without.Add((with - without).Mul(3.0));
        var spread = with.std([1, 2, 3], keepdim: true) / led.std([1, 2, 3], keepdim: true);
        TensorAssert.Close((led * spread).Mul(rescale).Add(led.Mul(1 - rescale)), guided[.., ..3]);
        Assert.True((said[..2, 3..] - said[2.., 3..]).abs().max().item<float>() > 1e-3);
    }

    private void SaveModel()
    {
        File.WriteAllText(_folder.File("model_index.json"), """{"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDIMScheduler"]}""");
        File.WriteAllText(_folder.File("scheduler_config.json"), """{"_class_name": "DDIMScheduler"}""");
        File.WriteAllText(_folder.File("config.json"), s_unet.ToDiffusers().ToIndentedText());
        using var unet = TinyDiffusion.Drawn(s_unet);
        CheckpointLoader.Save(unet, DiffusersDialect.UNet(s_unet), _folder.File("diffusion_pytorch_model.safetensors"));
    }

    private (byte[] Pixels, int Class)[] Generate(string column, IDataView rows)
    {
        using var model = _context.Transforms.DiffusionGenerator(new DiffusionGeneratorOptions
        {
            Checkpoint = _folder.Path, PromptColumnName = null, ClassColumnName = column, Device = "cpu", Sampling = new() { Steps = 2 },
        }).Fit(rows);
        return [.. model.Transform(rows).GetColumn<MLImage>("GeneratedImage").Select(image =>
            (ImageDecoder.FromMLImage(image).Pixels, JsonSerializer.Deserialize<JsonElement>(image.Tag).GetProperty("class").GetInt32()))];
    }

    private sealed class Row
    {
        public int Number { get; set; }

        [KeyType(Classes)]
        public uint Key { get; set; }
        public string Text { get; set; } = "";
    }
}
