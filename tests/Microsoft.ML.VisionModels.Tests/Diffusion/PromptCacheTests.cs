using Microsoft.ML.VisionModels.Families.Diffusion;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Family", "Diffusion")]
public class PromptCacheTests
{
    [Fact]
    public void WhatWasReadLastIsKept()
    {
        var (vectors, reads) = (new PromptCache(), new List<string>());
        Ask("", 0);
        Ask("a cat", 0);
        Ask("a cat", 1);
        Ask("", 0);
        Assert.Equal([" 0", "a cat 0", "a cat 1"], reads);

        for (var i = 0; i < PromptCache.Most - 1; i++)
            Ask($"{i}", 0);
        Ask("", 0);             // asked for again, and so kept
        Ask("a cat", 0);        // gone
        Assert.Equal(3 + PromptCache.Most - 1 + 1, reads.Count);
        Assert.Equal("a cat 0", reads[^1]);

        void Ask(string text, int skip)
        {
            using var scope = NewDisposeScope();
            var found = vectors.Of(text, skip, () =>
            {
                reads.Add($"{text} {skip}");
                return new(tensor(new[] { text.Length, skip }), null);
            });
            Assert.Equal([text.Length, skip], found.Words.data<int>().ToArray());
        }
    }

    /// <summary>Rows one after the other, with a text tower that by the second of them has forgotten everything.</summary>
    [Fact]
    public void ASamplerDoesNotReadAPromptAgain()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var model = DiffusionModel.Open(Path.Combine(TestFolders.OwnGolden, "diffusion-pipeline-t2i"));
        using var network = model.Take();
        var vectors = new PromptCache();
        var first = Generate("a cat", vectors);
        foreach (var parameter in network.Text!.parameters())
            parameter.zero_();
        Assert.Equal(first, Generate("a cat", vectors));
        Assert.NotEqual(first, Generate("a cat", null));

        float[] Generate(string prompt, PromptCache? prompts)
        {
            using var noise = new SeededNoise([1]);
            var sampler = new DiffusionSampler(network, network.Config.Tokenizer(model.Tokenizer), new() { Steps = 2, Height = 16, Width = 16 }, CPU, ScalarType.Float32, prompts);
            return sampler.Generate([new(1) { Prompt = prompt }], noise, null, TestContext.Current.CancellationToken).data<float>().ToArray();
        }
    }
}
