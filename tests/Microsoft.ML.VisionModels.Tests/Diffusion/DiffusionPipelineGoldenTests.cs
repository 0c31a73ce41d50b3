using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Whole folders of Stable Diffusion, from prompts to pixels, step by step.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public class DiffusionPipelineGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("diffusion-pipeline");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void TextToImageEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var pipeline = new Pipeline(golden);
        var config = golden.Config;
        var options = pipeline.Options(config.Get("num_inference_steps", 0));

        var ids = pipeline.Prompts.Encode(config.Texts("prompts")!);
        golden.AssertClose("prompt_ids", ids);
        golden.AssertClose("negative_ids", pipeline.Prompts.Encode(config.Texts("negative_prompts")!));
        var (last, pooled) = pipeline.Network.Text!.Read(ids);
        golden.AssertClose("text_last_hidden_state", last);
        golden.AssertClose("text_pooler_output", pooled);

        using var trace = new Trace();
        var image = Generate(pipeline, options, [.. pipeline.Requests()], [golden.Input("initial_latents")], trace);
        var words = trace["prompt_embeds"].chunk(2);
        golden.AssertClose("negative_prompt_embeds", words[0]);
        golden.AssertClose("prompt_embeds", words[1]);
        golden.AssertClose("unet_input", PerStep(trace, "unet_input"));
        golden.AssertClose("noise_pred", PerStep(trace, "noise_pred"));
        golden.AssertClose("latents_after_step", PerStep(trace, "latents"));
        golden.AssertClose("decoded_raw", trace["decoded_raw"]);
        golden.AssertClose("image", image);
        // A value in the middle between two bytes may become either.
        var bytes = stack([.. GeneratedImages.Of(image).Select(made => tensor(made.Pixels, [made.Height, made.Width, 3]))]).to(ScalarType.Int32);
        Assert.InRange((bytes - golden.Expected("image_u8").to(ScalarType.Int32)).abs().max().item<int>(), 0, 1);
        using (var scheduler = pipeline.Sampler(options).Scheduler.Create(options.Steps))
            golden.AssertClose("timesteps", tensor(scheduler.Timesteps.ToArray()));
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => !tensor.StartsWith("img2img.", StringComparison.Ordinal) && tensor is not ("initial_latents" or "image_u8")));
    }

    public static TheoryData<string> ImageCases => [.. Cases.Select(row => row.Data).Where(name =>
    {
        using var golden = GoldenCase.Open(name);
        return golden.Has("img2img.source");
    })];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(ImageCases))]
    public void ImageToImageEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var pipeline = new Pipeline(golden);
        var config = golden.Config.GetProperty("img2img");
        var options = pipeline.Options(config.Get("steps", 0));
        options.Strength = config.Get("strength", 0.0);
        using var trace = new Trace();
        var requests = pipeline.Requests().Zip(golden.Input("img2img.source").unbind(), (request, source) => request with { Image = source });
        var image = Generate(pipeline, options, [.. requests], [golden.Input("img2img.posterior_noise"), golden.Input("img2img.noise")], trace);
        golden.AssertClose("img2img.first_unet_input", PerStep(trace, "unet_input")[0]);
        golden.AssertClose("img2img.latents_after_step", PerStep(trace, "latents"));
        golden.AssertClose("img2img.image", image);
        using var scheduler = pipeline.Sampler(options).Scheduler.Create(options.Steps);
        golden.AssertClose("img2img.timesteps", tensor(scheduler.Timesteps.Skip(scheduler.FirstCall(options.Steps, options.Strength)).ToArray()));
    }

    private static Tensor Generate(Pipeline pipeline, DiffusionSamplingOptions options, DiffusionRequest[] requests, Tensor[] given, Trace trace)
    {
        using var noise = new GivenNoise(given);
        return pipeline.Sampler(options).Generate(requests, noise, null, TestContext.Current.CancellationToken, trace);
    }

    /// <summary>What a step left, of all steps in their order.</summary>
    private static Tensor PerStep(Trace trace, string what) =>
        stack([.. trace.Tensors.Where(entry => entry.Key.EndsWith($".{what}", StringComparison.Ordinal)).OrderBy(entry => int.Parse(entry.Key.Split('.')[0])).Select(entry => entry.Value)]);

    /// <summary>A case's folder, opened.</summary>
    private sealed class Pipeline : IDisposable
    {
        private readonly JsonElement _config;

        public Pipeline(GoldenCase golden)
        {
            _config = golden.Config;
            using var model = DiffusionModel.Open(golden.Path);
            Network = model.Take();
            Prompts = Network.Config.Tokenizer(model.Tokenizer)!;
        }

        public DiffusionNetwork Network { get; }

        public PromptTokenizer Prompts { get; }

        public DiffusionSamplingOptions Options(int steps) => new()
        {
            Steps = steps, Width = _config.Get("width", 0), Height = _config.Get("height", 0), GuidanceScale = _config.Get("guidance_scale", 7.5), GuidanceRescale = _config.Get("guidance_rescale", 0.0),
            ClipSkip = _config.Get("clip_skip", 0), Eta = _config.Get("eta", 0.0),
        };

        public DiffusionSampler Sampler(DiffusionSamplingOptions options)
        {
            var sampler = new DiffusionSampler(Network, Prompts, options, CPU, ScalarType.Float32);
            sampler.Validate();
            return sampler;
        }

        public IEnumerable<DiffusionRequest> Requests() => _config.Texts("prompts")!.Zip(_config.Texts("negative_prompts")!)
            .SelectMany(pair => Enumerable.Repeat(new DiffusionRequest(0) { Prompt = pair.First, NegativePrompt = pair.Second }, _config.Get("num_images_per_prompt", 1)));

        public void Dispose() => Network.Dispose();
    }

    /// <summary>The noise that the reference drew and used. What it drew and left alone, as Euler's method does, would show in whatever used it.</summary>
    private sealed class GivenNoise(params Tensor[] noise) : IDiffusionNoise
    {
        private int _next;

        public Tensor Draw(long[] shape) => _next < noise.Length ? noise[_next++] : noise[^1].Mul(double.NaN);

        public void Dispose()
        {
        }
    }
}
