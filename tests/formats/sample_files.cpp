#include "tests/formats/sample_files.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>

namespace adaptive::inline v1::table::formats {
namespace {

// Windows line ends, no final newline.
std::string windows(std::string text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') result += '\r';
    result += c;
  }
  result.resize(result.size() - 2);
  return result;
}

std::vector<const Format*> candidates(std::string_view system) {
  if (!system.empty()) return named(system);
  return {all().begin(), all().end()};
}

}  // namespace

const std::map<std::string, std::string>& sample_files() {
  static const std::map<std::string, std::string> files = {
      {"vllm/E=8,N=1024,device_name=NVIDIA_H200.json", R"({
    "triton_version": "3.6.0",
    "1": {
        "BLOCK_SIZE_M": 16,
        "BLOCK_SIZE_N": 32,
        "BLOCK_SIZE_K": 64,
        "GROUP_SIZE_M": 1,
        "num_warps": 4,
        "num_stages": 4
    },
    "16": {
        "BLOCK_SIZE_M": 16,
        "BLOCK_SIZE_N": 128,
        "BLOCK_SIZE_K": 128,
        "GROUP_SIZE_M": 1,
        "num_warps": 4,
        "num_stages": 3
    },
    "1024": {
        "BLOCK_SIZE_M": 128,
        "BLOCK_SIZE_N": 256,
        "BLOCK_SIZE_K": 64,
        "GROUP_SIZE_M": 16,
        "num_warps": 8,
        "num_stages": 4
    }
}
)"},
      // Rows out of order, a duplicate row, rows without warps, options of one compiler, and a note.
      {"vllm/E=8,N=1024,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json", windows(R"({
  "64": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 8},
  "8": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 64, "BLOCK_SIZE_K": 64, "GROUP_SIZE_M": 1, "num_warps": 4, "num_stages": 3},
  "note": ["tuned by hand"],
  "16": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, "SPLIT_K": 1, "num_ctas": 1},
  "64": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 256, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 16}
}
)")},
      {"vllm/E=4,N=64,device_name=,dtype=int4_w4a16,backend=other.json",
       R"({"512": {"tile_m": 16, "tile_n": 32, "tile_k": 64, "tile_n2": 16, "tile_k2": 8}})"},
      {"vllm/triton_3_4_0/E=8,N=1024,device_name=NVIDIA_H200.json",
       R"({"16": {"BLOCK_SIZE_M": 32, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 32, "GROUP_SIZE_M": 1}})"},
      {"vllm/legacy_configs/E=2,N=1024,device_name=AMD_Instinct_MI300X.json",
       R"({"16": {"BLOCK_SIZE_M": 32, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 32, "GROUP_SIZE_M": 1, "waves_per_eu": 0, "kpack": 2}})"},
      {"vllm/N=512,K=7168,device_name=NVIDIA_H20-3e,dtype=fp8_w8a8,block_shape=[128,128].json",
       R"({"2048": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 32, "num_warps": 4, "num_stages": 3}})"},
      {"sglang/configs/triton_3_4_0/E=16,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128, "
       "128].json",
       R"({"4": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 64, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 4, "num_warps": 4, "num_stages": 2}})"},
      {"sglang/configs/triton_3_5_1/E=16,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128, "
       "128].json",
       R"({"4": {"BLOCK_SIZE_M": 32, "BLOCK_SIZE_N": 64, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 4, "num_warps": 4, "num_stages": 3}})"},
      {"sglang/configs/triton_3_5_1/E=16,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128, "
       "128]_down.json",
       R"({"8": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, "num_warps": 4, "num_stages": 2, "USE_TMA": true}})"},
      {"sglang/configs/triton_3_10_0/"
       "E=16,N=192,device_name=NVIDIA_H200,dtype=fp8_w8a8,per_channel_quant=True.json",
       R"({"8": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, "num_warps": 4, "num_stages": 2}})"},
      {"sglang/quantization/N=512,K=256,device_name=NVIDIA_H20,dtype=int8_w8a8,block_shape=[128, 128].json",
       R"({"1": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, "num_warps": 4, "num_stages": 5}})"},
      {"sglang-grouped/grouped_gemm_config_4096_float16.json",
       R"({"1": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 64}, "256": {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 32}}
)"},
      {"sglang-grouped/grouped_gemm_configs_7168_fp8_w8a8_b16_block128x128.json",
       "{\n  \"160\": null,\n  \"8\": {\n    \"BLOCK_SIZE_M\": 16,\n    \"BLOCK_SIZE_N\": 128,\n    "
       "\"BLOCK_SIZE_K\": 128\n  }\n}"},
      {"megablox/m256_k1024_n2048_g4.json",
       "{\n  \"optimal_tiling\": [\n    128,\n    512,\n    1024\n  ],\n  \"best_time_ms\": 0.85,\n  "
       "\"timestamp\": 1704067200.0\n}"},
      {"megablox/m4096_k1024_n2048_g4.json",
       R"({"optimal_tiling": [512, 1024, 512], "best_time_ms": Infinity, "timestamp": 1704067200.5, "host": "a"})"},
      {"metal-marlin/autotune_mixed_bpw_m4_max.json", R"json({
  "device_name": "M4 Max",
  "device_family": "M4",
  "tile_size_mapping": {"2": 128, "3": 96, "4": 64},
  "simdgroup_mapping": {"2": 16, "3": 12, "4": 8},
  "lookup_table": {
    "4": {
      "4096": {
        "(2, 4)": {"kernel_name": "swiglu_decode", "tile_size_m": 64, "tile_size_n": 64, "simdgroups": 12, "use_fp32_acc": false, "kernel_variant": "decode"},
        "(4,)": {"kernel_name": "swiglu", "tile_size_m": 32, "tile_size_n": 64, "simdgroups": 8, "use_fp32_acc": true, "kernel_variant": "base"}
      },
      "8192": {"3,4": {"kernel_name": "swiglu", "tile_size_m": 96, "tile_size_n": 96, "simdgroups": 8, "use_fp32_acc": false, "kernel_variant": "prefill"}}
    },
    "16": {"4096": {"4,2": {"kernel_name": "swiglu_large", "tile_size_m": 128, "tile_size_n": 64, "simdgroups": 16, "use_fp32_acc": false, "kernel_variant": "large_batch"}}}
  },
  "adaptation_enabled": true,
  "adaptation_history_len": 100,
  "benchmark_count": 250
}
)json"},
      {"tpu-inference/quantized_matmul/tpu_v6e.json", R"({
    "16,2048,4096,int8,int8": [16, 256, 4096],
    "32,2048,4096,int8,int8": {
        "config": {"batch_block_size": 32, "in_block_size": 4096, "out_block_size": 512},
        "metadata": {"benchmarking_method": "amortized", "num_repeats": 5, "samples_ns": [70000.0, 72000.0]},
        "stats": {"compile_time_s": 0.2, "latency_avg_ns": 71000.0, "latency_std_ns": 1000.0}
    },
    "16,2048,8192,float8_e4m3fn,float4_e2m1fn": [16, 512, 2048, 4],
    "64,2048,4096,int8,int8": {"config": {"batch_block_size": 64, "in_block_size": 512, "out_block_size": 2048}, "stats": {"latency_avg_ns": NaN}},
    "16,2048,4096,int8,int8": [16, 512, 2048]
}
)"},
      {"tpu-inference/ragged_paged_attention/v3/tpu_v6e.json", R"({
  "128": {
    "q_bfloat16_kv_bfloat16": {
      "q_head-32_kv_head-8_head-128": {
        "max_model_len-1024-sw-None": [8, 32],
        "max_model_len-2048-sw-128": {"config": {"num_kv_pages_per_block": 4, "num_q_per_block": 16}, "metadata": {"schema_version": "1.0"}, "stats": {}},
        "512": [1, 1]
      }
    },
    "q_bfloat16_kv_float8_e4m3fn": {"q_head-16_kv_head-2_head-128": {"max_model_len-1024-sw-None": [16, 64]}}
  }
}
)"},
      {"pytorch/tunableop_results0.csv",
       windows(
           "Validator,PT_VERSION,2.9.1\nValidator,ROCM_VERSION,7.1.0.0-20-a,b\n"
           "GemmTunableOp_BFloat16_TN,tn_4096_16_7168_ld_7168_7168_4096,Gemm_Hipblaslt_6849,0.0197\n"
           "GemmTunableOp_BFloat16_TN,tn_4096_32_7168_ld_7168_8192_4096,Gemm_Rocblas_-3\n"
           "GemmTunableOp_Half_NT,nt_64_16_32_ld_64_16_64,Default,0.25\n"
           "GemmStridedBatchedTunableOp_float_NN,nn_64_16_32_B_8_ld_64_32_64,Gemm_Rocblas_7,0.5\n"
           "ScaledGemmTunableOp_Float8_e4m3fn_Float8_e4m3fn_BFloat16_TN,tn_512_16_256_ld_256_256_512_rw_1_"
           "bias_None,Gemm_Cublaslt_id_66_tile_18_stages_35_splitk_1_red_0_swizzle_0_custom_0_inner_0_"
           "cluster_3,"
           "0.0061\n"
           "GemmTunableOp_BFloat16_TN,tn_4096_16_7168_ld_7168_7168_4096,Gemm_Hipblaslt_6850,0.0190\n")},
      {"triton/HASH1/matmul.autotune.json",
       R"({"key": ["4096", "16", "torch.float16", "torch.int32"], "configs_timings": [[{"kwargs": {"BLOCK_M": 64, "EVEN": true}, "num_warps": 4, "num_stages": 3, "num_ctas": 1, "maxnreg": null, "pre_hook": null, "ir_override": null}, [0.21, 0.2, 0.22]], [{"kwargs": {"BLOCK_M": 128, "EVEN": false}, "num_warps": 8, "num_stages": 3}, [0.1, 0.1, 0.11]], [{"kwargs": {"BLOCK_M": 256, "EVEN": false}, "num_warps": 8}, [Infinity, Infinity, Infinity]]]})"},
      {"triton/HASH2/matmul.autotune.json",
       R"({"key": ["4096", "17", "torch.float16", "torch.int32"], "configs_timings": [[{"kwargs": {"BLOCK_M": 64}, "num_warps": 4}, 0.5]]})"},
      {"kernel-tuner/convolution.json", R"({
"schema_version": "1.1.0", "device_name": "NVIDIA RTX A4000", "kernel_name": "convolution", "problem_size": [4096, 2048],
"tune_params_keys": ["bx", "by"], "tune_params": {"bx": [16, 32, 64], "by": [1]}, "objective": "time",
"cache": {
"16,1": {"bx": 16, "by": 1, "time": 3.5, "times": [3.25, 3.75], "compile_time": 918.5, "GFLOP/s": 1948.1},
"32,1": {"bx": 32, "by": 1, "time": "CompilationFailedConfig", "compile_time": 1},
"64,1": {"bx": 64, "by": 1, "time": 3.0, "times": [3.0, 3.0]}
}})"},
      {"t4/vector_add.json",
       R"({"results": [{"configuration": {"bx": 16}, "times": {"runtimes": [12.5, 12.0, 13.0]}, "invalidity": "correct", "correctness": 1, "measurements": [{"name": "time", "value": 12.25, "unit": ""}]}, {"configuration": {"bx": 32}, "times": {"runtimes": [11.0, 10.0, 12.0]}, "invalidity": "correct", "correctness": 1}, {"configuration": {"bx": 64}, "times": {"runtimes": []}, "invalidity": "compile", "correctness": 0}], "schema_version": "1.0.0"})"},
      {"ktt/gemm.json", R"({"Metadata": {"ComputeApi": "CUDA", "Device": "NVIDIA A4000", "TimeUnit": "Milliseconds"}, "Results": [{"KernelName": "gemm", "Status": "Ok", "TotalDuration": 0.5, "Configuration": [{"Name": "MWG", "IsDouble": false, "Value": 64}]}, {"KernelName": "gemm", "Status": "Ok", "TotalDuration": 0.25, "Configuration": [{"Name": "MWG", "IsDouble": false, "Value": 32}]}, {"KernelName": "gemm", "Status": "CompilationFailed", "TotalDuration": 0, "Configuration": [{"Name": "MWG", "Value": 16}]}, {"KernelName": "copy", "Status": "Ok", "TotalDuration": 0.125, "Configuration": [{"Name": "W", "Value": 4}]}], "UserData": {}})"},
      {"flashinfer/tactics.json", R"json({
  "_metadata": {"cuda_version": "13.0", "flashinfer_version": "0.6.1", "gpu_name": "NVIDIA B200"},
  "('fp4_gemm', 'CudnnRunner', ((16, 4096), (4096, 512)), ())": ["CudnnRunner", 3],
  "('fp4_gemm', 'CudnnRunner', ((32, 4096), (4096, 512)), ())": ["CudnnRunner", [128, 2, 1], "best", {"time_ms": 0.5, "candidates": 4}],
  "('fused_moe', 'MoeRunner', ((8, 8), (8,)))": ["MoeRunner", -1]
})json"},
      {"flashinfer/v2/e1/entries/1a.json",
       R"json({"key": "('fp4_gemm', 'CudnnRunner', ((64, 4096), (4096, 512)), None)", "runner": "CudnnRunner", "tactic": 2, "profiling_policy": "best"})json"},
      {"tensorrt-llm/rank0.json",
       R"json({"metadata": {"lib_version": "1.2.0", "device_name": "NVIDIA B200", "device_capability": [10, 0]}, "cache_data": {"('trtllm::fp4_gemm', 'Runner', 'a1', ((16, 4096), (4096, 512)))": {"runner_id": 0, "tactic": 3, "min_time": 0.5}, "('trtllm::fp4_gemm', 'Runner', 7, ((32, 4096), (4096, 512)))": {"runner_id": 1, "tactic": [1, 2], "min_time": 0.25}}})json"},
  };
  return files;
}

const std::string& sample(const std::string& path) {
  return sample_files().at(path);
}

void write_samples(const TemporaryFolder& folder, const std::string& system) {
  for (const auto& [path, text] : sample_files())
    if (path.starts_with(system + "/")) write_text(folder / path.substr(system.size() + 1), text);
}

Imported import(const std::filesystem::path& path, std::string_view system, const Given& given) {
  Import read = read_files(std::span(&path, 1), candidates(system), !system.empty(), given);
  Imported imported;
  imported.table = to_table(read.sheets, read.files, read.notices);
  imported.files = std::move(read.files);
  imported.notices = std::move(read.notices);
  return imported;
}

Imported import_text(const std::string& name, const std::string& text, std::string_view system,
                     const Given& given) {
  const TemporaryFolder folder;
  write_text(folder / name, text);
  return import(folder / name, system, given);
}

std::map<std::string, std::string> export_to(const Table& table, std::string_view system) {
  std::map<std::string, std::string> files;
  for (ExportedFile& file : to_files(table, candidates(system)).files)
    files.emplace(file.path, std::move(file.text));
  return files;
}

bool noticed(const std::vector<Notice>& notices, std::string_view where, std::string_view what) {
  return std::any_of(notices.begin(), notices.end(), [&](const Notice& notice) {
    return notice.where.find(where) != std::string::npos && notice.what.find(what) != std::string::npos;
  });
}

}  // namespace adaptive::table::formats
