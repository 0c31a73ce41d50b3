using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Tests.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>What a diffusion model in a pipeline does beyond what every model does.</summary>
[Trait("Family", "Diffusion")]
public sealed class DiffusionGeneratorTests : IDisposable
{
    private readonly MLContext _context = new(1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    private static string Model => Path.Combine(TestFolders.OwnGolden, "diffusion-pipeline-t2i");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARowsImageDependsOnItsSeedAlone()
    {
        Row[] rows = [new() { Prompt = "a cat", Seed = 3 }, new() { Prompt = "a dog", Seed = 4 }, new() { Prompt = "a cat", Seed = 5 }];
        foreach (var scheduler in new[] { DiffusionScheduler.Ddim, DiffusionScheduler.EulerAncestral })
        {
            var together = Generate(rows, options => options.Sampling.Scheduler = scheduler);
            for (var i = 0; i < rows.Length; i++)
                AssertClose(together[i].Image, Generate([rows[i]], options => options.Sampling.Scheduler = scheduler)[0].Image);
            Assert.NotEqual(together[0].Image.Pixels, together[2].Image.Pixels);
        }
    }

    [Fact]
    public void SeveralImagesAreThoseOfTheSeedsThatFollow()
    {
        Row[] rows = [new() { Prompt = "a cat", Seed = 3 }, new() { Prompt = "a dog", Seed = 9 }];
        using var model = Fit(rows, options => options.Sampling.ImagesPerRow = 2);
        var view = model.Transform(_context.Data.LoadFromEnumerable(rows));
        Assert.Equal(["GeneratedImage", "GeneratedImage2", "How", "How2"], view.Schema.Skip(5).Select(column => column.Name));
        var second = view.GetColumn<MLImage>("GeneratedImage2").Select(image => ImageDecoder.FromMLImage(image).Pixels).ToArray();
        Assert.Equal(Generate([rows[0]], _ => { }, seed: 4)[0].Image.Pixels, second[0]);
        Assert.Equal(10, Seed(view.GetColumn<string>("How2").Last()));

        static long Seed(string how) => JsonSerializer.Deserialize<JsonElement>(how).GetProperty("seed").GetInt64();
    }

    [Fact]
    public void AnImageSaysHowItWasMadeAndIsMadeAgain()
    {
        var (image, how) = Generate([new() { Prompt = "a dög", Seed = 12 }], options => (options.Sampling.Scheduler, options.Sampling.Steps) = (DiffusionScheduler.Euler, 3))[0];
        var path = _folder.File("made/image.png");
        using (var made = ImageDecoder.ToMLImage(image))
            VisionImage.SavePng(made, path, new Dictionary<string, string> { ["parameters"] = how });
        var read = JsonSerializer.Deserialize<JsonElement>(VisionImage.ReadPngTexts(path)["parameters"]);
        Assert.Equal("diffusion-pipeline-t2i", read.GetProperty("model").GetString());
        var again = Generate([new() { Prompt = read.GetProperty("prompt").GetString()!, Seed = read.GetProperty("seed").GetInt64() }], options =>
        {
            options.Sampling.Scheduler = Enum.Parse<DiffusionScheduler>(read.GetProperty("scheduler").GetString()!);
            options.Sampling.Steps = read.GetProperty("steps").GetInt32();
            options.Sampling.GuidanceScale = read.GetProperty("guidanceScale").GetDouble();
        });
        Assert.Equal(image.Pixels, again[0].Image.Pixels);
        Assert.Equal(image.Pixels, ImageDecoder.Decode(path).Pixels);
    }

    /// <summary>Of latents, since an autoencoder of random weights spreads every place over the whole image.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void WhatIsNotPaintedStays(double strength)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var model = DiffusionModel.Open(Model);
        using var network = model.Take();
        var sampler = new DiffusionSampler(network, network.Config.Tokenizer(model.Tokenizer), new() { Steps = 4, Height = 16, Width = 16, Strength = strength }, CPU, ScalarType.Float32);
        var image = rand([3, 16, 16]);
        var latents = new[] { "a cat", "a dog" }.Select(prompt =>
        {
            using var noise = new SeededNoise([1]);
            using var trace = new Trace();
            sampler.Generate([new(1) { Prompt = prompt, Image = image, Mask = cat([ones(3, 16, 8), zeros(3, 16, 8)], 2) }], noise, null, TestContext.Current.CancellationToken, trace);
            return trace["3.latents"].clone();
        }).ToArray();
        using var drawn = new SeededNoise([1]);
        var whole = network.ToLatents(image.unsqueeze(0).Mul(2.0).Sub(1), drawn.Draw);          // [1, 4, 4, 4]
        TensorAssert.Close(whole[.., .., .., 2..], latents[0][.., .., .., 2..]);
        TensorAssert.Close(whole[.., .., .., 2..], latents[1][.., .., .., 2..]);
        Assert.True((latents[0] - latents[1])[.., .., .., ..2].abs().min().item<float>() > 0);
    }

    /// <summary>Of an image no larger than a tile nothing changes, of a larger one a little.</summary>
    [Fact]
    public void TheAutoencoderWorksInTiles()
    {
        var whole = Generate([new()], options => options.Sampling.Width = 32)[0].Image;
        Assert.Equal(whole.Pixels, Generate([new()], options => (options.Sampling.Width, options.Sampling.AutoencoderTile) = (32, 32))[0].Image.Pixels);
        Assert.NotEqual(whole.Pixels, Generate([new()], options => (options.Sampling.Width, options.Sampling.AutoencoderTile) = (32, 16))[0].Image.Pixels);
    }

    [Fact]
    public void WhoAsksOnlyHowAnImageWouldBeMadeWaitsForNone()
    {
        var steps = 0;
        using var model = Fit([new()], options => options.Sampling.Progress = new Reports(_ => steps++));
        Assert.Contains("a cat", Assert.Single(model.Transform(_context.Data.LoadFromEnumerable(new[] { new Row() })).GetColumn<string>("How")));
        Assert.Equal(0, steps);
    }

    [Fact]
    public void StepsAreReportedAndStopped()
    {
        using var stop = new CancellationTokenSource();
        var steps = new List<DiffusionProgress>();
        using var model = Fit([new()], options =>
        {
            (options.Sampling.Steps, options.Sampling.PreviewSteps, options.CancellationToken) = (6, 2, stop.Token);
            options.Sampling.Progress = new Reports(progress =>
            {
                steps.Add(progress);
                if (progress.Step == 4)
                    stop.Cancel();
            });
        });
        Assert.ThrowsAny<OperationCanceledException>(() => model.Transform(_context.Data.LoadFromEnumerable(new[] { new Row(), new Row() })).GetColumn<MLImage>("GeneratedImage").Count());
        Assert.Equal([1, 2, 3, 4], steps.Select(progress => progress.Step));
        Assert.Equal([0, 2, 0, 2], steps.Select(progress => progress.Previews.Count));
        Assert.All(steps.SelectMany(progress => progress.Previews), image => Assert.Equal((16, 16), (image.Width, image.Height)));
    }

    public static TheoryData<string, Action<DiffusionGeneratorOptions>> Wrong => new()
    {
        { "Sampling.Steps is 0", options => options.Sampling.Steps = 0 },
        { "from 1 to 1000", options => options.Sampling.Steps = 1001 },
        { "Sampling.GuidanceScale is 0.5", options => options.Sampling.GuidanceScale = 0.5 },
        { "Sampling.Height is 18, but must be a multiple of 4", options => options.Sampling.Height = 18 },
        { "Sampling.AutoencoderTile is 24, but must be a multiple of 16", options => options.Sampling.AutoencoderTile = 24 },
        { "Sampling.ClipSkip is 9", options => options.Sampling.ClipSkip = 9 },
        { "InitialImageColumnName", options => options.MaskColumnName = "Mask" },
        { "no column 'Nowhere'", options => options.PromptColumnName = "Nowhere" },
    };

    [Theory, MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void WhatCannotBeIsSaidByName(string message, Action<DiffusionGeneratorOptions> change) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => Fit([new()], change)).Message);

    [Theory]
    [InlineData(8, 255, "8 x 8")]
    [InlineData(16, 0, "dark all over")]
    public void AMaskMustFitItsImage(int side, int gray, string message)
    {
        var mask = new RgbImage(side, side);
        mask.Pixels.AsSpan().Fill((byte)gray);
        var row = new Row { Start = Save("start.png", TestImages.Noise(16, 16)), Mask = Save("mask.png", mask) };
        var error = Assert.ThrowsAny<Exception>(() => Generate([row], options => (options.InitialImageColumnName, options.MaskColumnName) = (nameof(Row.Start), nameof(Row.Mask))));
        Assert.Contains(message, error.ToString());
    }

    /// <summary>LCM's timesteps begin lower where an image comes in; none of its steps is left out besides.</summary>
    [Fact]
    public void LcmTakesAllOfItsSteps()
    {
        var steps = new List<int>();
        Generate([new() { Start = Save("start.png", TestImages.Noise(16, 16)) }], options =>
        {
            (options.InitialImageColumnName, options.Sampling.Scheduler, options.Sampling.Steps, options.Sampling.Strength) = (nameof(Row.Start), DiffusionScheduler.Lcm, 4, 0.5);
            options.Sampling.Progress = new Reports(progress => steps.Add(progress.Step));
        });
        Assert.Equal([1, 2, 3, 4], steps);
    }

    /// <summary>Half of one and half again of the same are the whole, and each changes the image.</summary>
    [Fact]
    public void LorasAreMergedWhenTheModelIsLoaded()
    {
        var path = SaveLora("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q");
        var plain = Generate([new()], _ => { })[0].Image;
        var whole = Generate([new()], options => options.Loras = [new(path)])[0].Image;
        var halves = Generate([new()], options => options.Loras = [new(path, 0.5), new(path, 0.5)])[0].Image;
        AssertClose(whole, halves);
        Assert.NotEqual(plain.Pixels, whole.Pixels);
        Assert.Equal(plain.Pixels, Generate([new()], options => options.Loras = [new(path, 0)])[0].Image.Pixels);

        var other = SaveLora("lora_unet_mid_block_attentions_7_proj_in");
        Assert.Contains("LoRA for another model", Assert.Throws<CheckpointException>(() => Fit([new()], options => options.Loras = [new(other)])).Message);

        string SaveLora(string layer)
        {
            using var scope = NewDisposeScope();
            using var model = DiffusionModel.Open(Model);
            using var network = model.Take();
            var width = network.Config.UNet.Channels[^1];
            var file = _folder.File($"{layer}.safetensors");
            using var generator = new Generator(3);
            SafetensorsWriter.Write(file, [($"{layer}.lora_down.weight", randn([2, width], generator: generator)), ($"{layer}.lora_up.weight", randn([width, 2], generator: generator))]);
            return file;
        }
    }

    [Fact]
    public void AFolderThatLacksAPartIsNamed()
    {
        var copy = _folder.File("model");
        foreach (var file in Directory.EnumerateFiles(Model, "*", SearchOption.AllDirectories).Where(file => Path.GetRelativePath(Model, file) is "model_index.json" || Path.GetDirectoryName(Path.GetRelativePath(Model, file)) is not ("vae" or "")))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(Model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        Assert.Contains("vae", Assert.Throws<FileNotFoundException>(() => Fit([new()], options => options.Checkpoint = copy)).Message);
    }

    private string Save(string name, RgbImage image)
    {
        TestImages.Save(image, _folder.File(name));
        return _folder.File(name);
    }

    private DiffusionTransformer Fit(Row[] rows, Action<DiffusionGeneratorOptions> change)
    {
        var options = new DiffusionGeneratorOptions
        {
            Checkpoint = Model, SeedColumnName = nameof(Row.Seed), ParametersColumnName = "How", Device = "cpu", ScoringBatchSize = 3, Sampling = new() { Steps = 2, Height = 16, Width = 16 },
        };
        change(options);
        return _context.Transforms.DiffusionGenerator(options).Fit(_context.Data.LoadFromEnumerable(rows));
    }

    private List<(RgbImage Image, string How)> Generate(Row[] rows, Action<DiffusionGeneratorOptions> change, long? seed = null)
    {
        rows = seed is { } other ? [.. rows.Select(row => row with { Seed = other })] : rows;
        using var model = Fit(rows, change);
        return [.. _context.Data.CreateEnumerable<Made>(model.Transform(_context.Data.LoadFromEnumerable(rows)), reuseRowObject: false)
            .Select(row => (ImageDecoder.FromMLImage(row.GeneratedImage!), row.How))];
    }

    // Products of other sizes are summed up in another order.
    private static void AssertClose(RgbImage expected, RgbImage actual) =>
        Assert.InRange(expected.Pixels.Zip(actual.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1);

    internal sealed record Row
    {
        public string Prompt { get; set; } = "a cat";
        public long Seed { get; set; }
        public string Start { get; set; } = "";
        public string Mask { get; set; } = "";
        public string Other { get; set; } = "";
    }

    private sealed class Made
    {
        public MLImage? GeneratedImage { get; set; }
        public string How { get; set; } = "";
    }

    private sealed class Reports(Action<DiffusionProgress> report) : IProgress<DiffusionProgress>
    {
        public void Report(DiffusionProgress value) => report(value);
    }
}
