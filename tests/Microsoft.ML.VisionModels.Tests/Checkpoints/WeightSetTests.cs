using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Training checkpoints with trained weights and their average, under the names by which frameworks save them.</summary>
public class WeightSetTests
{
    public static TheoryData<string, string> Pairs => new()
    {
        { "state_dict", "state_dict_ema" },             // timm
        { "model", "model_ema" },                       // DeiT, ConvNeXt, torchvision's references
        { "student", "teacher" },                       // DINO
        { "model", "ema" },                             // denoising diffusion
        { "net", "ema_model" },
        { "params", "params_ema" },                     // BasicSR
        { "state_dict", "ema_state_dict" },             // OpenMMLab
        { "current_model_state", "state_dict" },        // Lightning's averaging callback
    };

    [Theory, MemberData(nameof(Pairs))]
    public void OfTwoSetsTheOneIsReadThatWasAskedFor(string trained, string averaged)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        foreach (var (first, second) in new[] { (trained, averaged), (averaged, trained) })
        {
            var path = folder.File($"{first}.pt");
            TorchFile.Write(path, new Dictionary<string, object>
            {
                ["epoch"] = 3, [first] = Weights(first == trained ? 1 : 2), [second] = Weights(second == trained ? 1 : 2), ["optimizer"] = Weights(3),
            });

            Assert.Equal((1f, $"'{trained}' is read"), Read(path, CheckpointWeights.Trained));
            Assert.Equal((2f, $"'{averaged}' is read"), Read(path, CheckpointWeights.Averaged));
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public void OneSetAloneIsReadWhateverWasAskedFor(string trained, string averaged)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        foreach (var name in new[] { trained, averaged })
        {
            var path = folder.File($"{name}.pt");
            TorchFile.Write(path, new Dictionary<string, object> { ["arch"] = "vit", [name] = Weights(5), ["model_args"] = new Dictionary<string, object> { ["depth"] = 2 } });
            Assert.Equal((5f, ""), Read(path, CheckpointWeights.Trained));
            Assert.Equal((5f, ""), Read(path, CheckpointWeights.Averaged));
        }
    }

    [Fact]
    public void ADictionaryWithoutTensorsIsNoSet()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        TorchFile.Write(folder.File("a.pt"), new Dictionary<string, object>
        {
            ["model"] = Weights(1), ["ema"] = new Dictionary<string, object> { ["decay"] = "0.99", ["settings"] = new Dictionary<string, object> { ["updates"] = 3 } },
        });
        Assert.Equal((1f, ""), Read(folder.File("a.pt"), CheckpointWeights.Averaged));
    }

    private static Dictionary<string, object> Weights(float value) => new() { ["weight"] = ones(2, 2).Mul(value), ["bias"] = zeros(2) };

    /// <summary>The first number of the weight, and what was said about which set is read.</summary>
    private static (float Value, string Said) Read(string path, CheckpointWeights weights)
    {
        var said = new List<string>();
        using var listening = Notices.To(new NoticeLog(said.Add));
        using var file = Checkpoint.Open(path, weights);
        Assert.Equal(["weight", "bias"], file.Tensors.Keys);
        Assert.All(said, sentence => Assert.Contains(nameof(CheckpointWeights), sentence));
        return (file.Read("weight").data<float>()[0], said.Count == 0 ? "" : Assert.Single(said).Split("; ")[1].Split('.')[0]);
    }
}
