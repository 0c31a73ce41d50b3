using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class ShardTests
{
    [Fact]
    public void ThousandsOfShardsTakeNoMoreFilesThanOne()
    {
        const int Shards = 3000;
        using var folder = TestFolders.Temporary();
        using (torch.NewDisposeScope())
        {
            for (var i = 0; i < Shards; i++)
                SafetensorsWriter.Write(folder.File($"{i}.safetensors"), [($"a{i}", torch.tensor((float)i)), ($"b{i}", torch.tensor(-(float)i))]);
        }
        // In an order in which every tensor is in another file than the one before.
        var names = Enumerable.Range(0, Shards).Select(i => ($"a{i}", i)).Concat(Enumerable.Range(0, Shards).Select(i => ($"b{i}", i)));
        WriteIndex(folder, names.Select(entry => (entry.Item1, $"{entry.i}.safetensors")));

        var (before, allocated) = (OpenFiles(), GC.GetAllocatedBytesForCurrentThread());
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal(2 * Shards, checkpoint.Tensors.Count);
        Assert.True(OpenFiles() - before < 20, $"{OpenFiles() - before} files are open");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 100 << 20, "too much was allocated");

        // Both tensors of a file stand together, so that it is opened once.
        Assert.Equal(["a0", "b0", "a1", "b1"], checkpoint.Tensors.Keys.Take(4));
        foreach (var name in checkpoint.Tensors.Keys)
        {
            using var value = checkpoint.Read(name);
            Assert.Equal(int.Parse(name[1..]), Math.Abs(value.item<float>()));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void TensorsOfAllShardsHaveOneLimit(int more)
    {
        using var folder = TestFolders.Temporary();
        using (torch.NewDisposeScope())
        {
            var none = torch.empty(0);
            SafetensorsWriter.Write(folder.File("a.safetensors"), [.. Enumerable.Range(0, Limits.Tensors / 2).Select(i => ($"a{i}", none))]);
            SafetensorsWriter.Write(folder.File("b.safetensors"), [.. Enumerable.Range(0, Limits.Tensors / 2 + more).Select(i => ($"b{i}", none))]);
        }
        WriteIndex(folder, [("a0", "a.safetensors"), ("b0", "b.safetensors")]);
        var error = Record.Exception(() => Checkpoint.Open(folder.Path).Dispose());
        Assert.Equal(more == 0 ? null : typeof(CheckpointException), error?.GetType());
    }

    private static void WriteIndex(TestFolders.TemporaryFolder folder, IEnumerable<(string Name, string File)> map) =>
        File.WriteAllText(folder.File("model.safetensors.index.json"), $"{{\"weight_map\":{{{string.Join(',', map.Select(entry => $"\"{entry.Name}\":\"{entry.File}\""))}}}}}");

    private static int OpenFiles() => OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : 0;
}
