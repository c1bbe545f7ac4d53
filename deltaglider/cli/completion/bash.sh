# Completion of deltaglider for bash 4.4 or later. In ~/.bashrc:  eval "$(deltaglider completion bash)"

_deltaglider_completion() {
    local kind value help typed="" kept="" quote=1 files=""
    local -a values=()
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            word) typed=$value ;;
            file) files=1 ;;
            plain) values+=("$value") ;;
        esac
    done < <("$1" completion bash --complete -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)

    # bash takes words apart at ":" and "=", and replaces the last part only.
    local part=${2//\\/}
    if [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]]; then
        quote=""
    elif [[ $typed == *"$part" ]]; then
        kept=${typed%"$part"}
    fi
    for value in "${values[@]}"; do
        value=${value#"$kept"}
        [[ $value == */ ]] && compopt -o nospace
        [[ -n $quote ]] && printf -v value %q "$value"
        COMPREPLY+=("$value")
    done
    if [[ -n $files ]]; then
        if ((${#values[@]} == 0)); then
            compopt -o filenames
            quote=""
        fi
        while IFS= read -r value; do
            [[ -n $quote ]] && printf -v value %q "$value"
            COMPREPLY+=("$value")
        done < <(compgen -f -- "$part")
    fi
} 2>/dev/null

complete -o nosort -F _deltaglider_completion deltaglider
